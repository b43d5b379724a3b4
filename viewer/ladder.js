// The ladder: chooses how this engine shows the gallery, and takes the next rung when one fails.
//
//   wasm      the viewer, where WebAssembly and a readable fetch body exist
//   img       <img src="stream">: the server blends, the engine only paints
//   snapshot  a still picture, fetched again and again; it heals for ever
//
// While nobody sees the page (<html data-rest>, see around/rest.js) no rung holds a connection, and a hidden
// page never goes down a rung: what it lacks may be the connections that other tabs hold.
//
// Plain ES5, nothing newer: this file must not fail where everything else does. `?viewer=` forces
// a rung. The page's state is told in <html data-state data-rung>.
(function () {
  'use strict';

  // A TV's engine needs 1 to 3 s to fetch and compile the viewer, and a cold server about 1 s for
  // the first picture. Twice that is a fault; a person in front of a black screen waits this long.
  var REPORT_MS = 8000;
  // The server sends the first picture at once, but a rendition may have to be made first.
  var LOAD_MS = 10000;
  // A next stream that takes this long beside one that runs is not coming: see renew().
  var BESIDE_MS = 4000;
  // Chromium keeps memory of a motion JPEG that runs for weeks; a new connection frees it.
  var RECYCLE_MS = 10 * 60 * 1000;
  var WATCH_MS = 5000;
  var SNAPSHOT_MS = 3000;
  var LONGEST_PAUSE_MS = 10000;

  var root = document.documentElement;
  var rung = null;

  function state(name) { root.setAttribute('data-state', name); }

  // At once, or when the page is looked at again.
  function whenSeen(act) {
    if (!root.hasAttribute('data-rest')) { return act(); }
    window.addEventListener('mantel-wake', function seen() {
      window.removeEventListener('mantel-wake', seen, false);
      act();
    }, false);
  }

  function query(name) {
    var pairs = location.search.replace(/^\?/, '').split('&');
    for (var i = 0; i < pairs.length; i++) {
      if (pairs[i].split('=')[0] === name) { return pairs[i].slice(name.length + 1); }
    }
    return '';
  }

  // Which pictures, and how they look.
  var WHICH = ['channel', 'album', 'from', 'to', 'rating', 'keyword', 'orientation', 'on-this-day', 'newest', 'favourites', 'interrupts'];
  var HOW = ['fit', 'quality', 'bitrate', 'gop', 'transition', 'fps', 'paint', 'pair', 'caption'];

  function asked(names) {
    return location.search.replace(/^\?/, '').split('&').filter(function (pair) {
      var at = names.indexOf(pair.split('=')[0]);
      return at >= 0 && (pair.indexOf('=') < pair.length - 1 || names[at] === 'on-this-day');
    });
  }

  // What the page was opened with belongs to the pictures as well; `t` keeps caches away. Why there are no photos is said
  // around them, with a way out.
  function address(path) {
    var ratio = window.devicePixelRatio || 1;
    var pairs = [query('size') ? 'size=' + query('size') : 'size=' + Math.max(1, Math.round(window.innerWidth * ratio)) + 'x' +
      Math.max(1, Math.round(window.innerHeight * ratio))];
    return path + '?' + pairs.concat(asked(HOW), asked(WHICH)).join('&') + '&note=off&t=' + new Date().getTime();
  }

  // ---- wasm

  function canRunViewer() {
    return typeof WebAssembly === 'object' && typeof WebAssembly.instantiate === 'function' &&
      typeof fetch === 'function' && typeof Promise === 'function' &&
      typeof Response === 'function' && 'body' in Response.prototype &&
      typeof MutationObserver === 'function';
  }

  function startViewer() {
    var assets = document.querySelector('meta[name=mantel-viewer]');
    if (!assets || !canRunViewer()) { return startImg('this engine can not run the viewer'); }
    rung = 'wasm';
    root.setAttribute('data-rung', rung);

    function shows() {
      var now = root.getAttribute('data-state');
      return now === 'playing' || now === 'paused';
    }
    function giveUp(why) {
      if (rung !== 'wasm') { return; }
      observer.disconnect();
      var stop = document.createEvent('Event');
      stop.initEvent('mantel-stop', false, false);
      window.dispatchEvent(stop);
      startImg(why);
    }
    // An engine that paints nothing in hidden pages runs no animation frames there, so the time counts from
    // when it is seen; and a viewer that says `reconnecting` works: no other rung would get a picture either.
    var wasHidden = document.hidden;
    function judge() {
      if (rung !== 'wasm' || shows() || root.hasAttribute('data-slide')) { return; }
      if (document.hidden || wasHidden || root.getAttribute('data-state') === 'reconnecting') {
        wasHidden = document.hidden;
        setTimeout(judge, REPORT_MS);
      } else {
        giveUp('the viewer did not report in time');
      }
    }
    var observer = new MutationObserver(function () {
      if (root.getAttribute('data-state') !== 'failed') { return; }
      // It has worked before, so it is worth another try; the last picture stays on the canvas.
      var why = root.getAttribute('data-failure') || 'the viewer failed';
      if (root.hasAttribute('data-slide') && window.mantel && mantel.reload && mantel.reload(why)) {
        observer.disconnect();
        root.setAttribute('data-reason', why);
        state('reconnecting');
      } else {
        giveUp(why);
      }
    });
    observer.observe(root, { attributes: true, attributeFilter: ['data-state'] });
    setTimeout(judge, REPORT_MS);

    var script = document.createElement('script');
    script.src = assets.getAttribute('data-js');
    script.onerror = function () { giveUp('the viewer could not be loaded'); };
    script.onload = function () {
      if (typeof wasm_bindgen !== 'function') { return giveUp('this engine can not read the viewer'); }
      wasm_bindgen({ module_or_path: assets.getAttribute('data-wasm') }).then(null, function (error) {
        giveUp('the viewer could not be started: ' + error);
      });
    };
    document.body.appendChild(script);
  }

  // ---- pictures over each other: a new one is put over the old one once it is there

  function box() { return document.getElementById('rung'); }

  function present(image) {
    var old = [].slice.call(box().childNodes);
    box().appendChild(image);
    root.setAttribute('data-shown', '');
    state('fallback');
    // Not at once: the engine may not have painted the new one yet. A stream goes on behind a
    // removed element, so its address is taken away first.
    setTimeout(function () {
      for (var i = 0; i < old.length; i++) { drop(old[i]); }
    }, 400);
  }

  function drop(image) {
    image.onload = image.onerror = null;
    image.src = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
    if (image.parentNode) { image.parentNode.removeChild(image); }
  }

  // Ends the stream that is shown, if there is one; its last picture stays. A stream that broke has none
  // that could be drawn, and has ended by itself.
  function freeze() {
    var shown = [].slice.call(box().querySelectorAll('img')), image = shown[shown.length - 1];
    var still = document.createElement('canvas');
    try {
      still.width = image.naturalWidth;
      still.height = image.naturalHeight;
      still.getContext('2d').drawImage(image, 0, 0);
    } catch (e) { return; }
    box().appendChild(still);
    shown.forEach(drop);
  }

  function load(url, millis, done) {
    var image = new Image();
    var timer = setTimeout(function () { finish(false); }, millis);
    function finish(ok) {
      clearTimeout(timer);
      image.onload = image.onerror = null;
      if (!ok) { drop(image); }
      done(ok ? image : null);
    }
    image.alt = '';
    image.onload = function () { finish(true); };
    image.onerror = function () { finish(false); };
    image.src = url;
  }

  // ---- img

  function startImg(why) {
    if (rung === 'img' || rung === 'snapshot') { return; }
    rung = 'img';
    root.setAttribute('data-rung', rung);
    root.setAttribute('data-reason', why);
    if (root.getAttribute('data-state') !== 'failed') { state('fallback'); }
    // Not at once: some engines load nothing beside a stream (see renew), and around/apart.js asks first.
    setTimeout(function begin() {
      load(address('stream'), LOAD_MS, function (image) {
        if (image) { return keepStreaming(image); }
        if (!document.hidden) { return startSnapshot(why + '; no stream either'); }
        setTimeout(function () { whenSeen(begin); }, 1000);
      });
    }, 0);
  }

  // From here on the rung is known to work: whatever happens, it is tried again, and the last
  // picture stays meanwhile.
  function keepStreaming(first) {
    var since, server, broken = false, pending = false, again = false, resized, asked = shape();

    function shape() { return address('').split('&t=')[0]; }

    function take(image) {
      since = new Date().getTime();
      broken = false;
      image.onerror = function () { broken = true; renew(); };
      present(image);
    }
    // Old Chromium (seen in 64, on a busy machine) now and then believes that its page is still being
    // laid out, and then loads one image at a time: no other as long as the stream runs. So when
    // nothing came beside it, its picture is kept on a canvas and it is ended first.
    function renew() {
      if (root.hasAttribute('data-rest')) { return; }
      if (pending) { again = true; return; }
      pending = true;
      again = false;
      load(address('stream'), BESIDE_MS, function (image) {
        if (image) { return settle(image); }
        freeze();
        load(address('stream'), LOAD_MS, settle);
      });
    }
    function settle(image) {
      pending = false;
      if (image && root.hasAttribute('data-rest')) { return drop(image); }
      if (!image) { setTimeout(renew, LONGEST_PAUSE_MS); return; }
      take(image);
      // What was changed meanwhile.
      if (again) { renew(); }
    }
    // An <img> says nothing when its stream ends: a server that was away and is back has ended it.
    function watch() {
      whenSeen(look);
    }
    function look() {
      request('GET', 'healthz', function (ok, call) {
        var run = ok && call.getResponseHeader('X-Started-At');
        // It may have been away for less than it takes to look.
        if (!ok || (server && run !== server)) { broken = true; }
        server = run || server;
        if (ok && (broken || new Date().getTime() - since > RECYCLE_MS)) { renew(); }
        setTimeout(watch, WATCH_MS);
      });
    }
    window.addEventListener('resize', function () {
      clearTimeout(resized);
      resized = setTimeout(renew, 700);
    });
    // What the menu changed, if it changes the pictures.
    window.addEventListener('mantel-settings', function () {
      if (shape() !== asked) { asked = shape(); renew(); }
    });
    window.addEventListener('mantel-rest', freeze, false);
    window.addEventListener('mantel-wake', renew, false);
    take(first);
    if (root.hasAttribute('data-rest')) { freeze(); }
    watch();
  }

  // ---- snapshot

  function startSnapshot(why) {
    rung = 'snapshot';
    root.setAttribute('data-rung', rung);
    root.setAttribute('data-reason', why);
    var pause = 1000;
    function again() {
      load(address('snapshot'), LOAD_MS, function (image) {
        if (image) { pause = 1000; present(image); }
        setTimeout(function () { whenSeen(again); }, image ? SNAPSHOT_MS : pause);
        if (image) { return; }
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      });
    }
    again();
  }

  // ----

  function request(method, path, done) {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState === 4) { done(call.status >= 200 && call.status < 300, call); }
    };
    call.open(method, path, true);
    call.timeout = LOAD_MS;
    call.send();
  }

  // ----

  // server/pages/via.js is in the page where video is asked for.
  var start = { img: startImg, snapshot: startSnapshot }[query('viewer')];
  if (start) { start('asked for'); } else { (window.mantelVia || startViewer)(startViewer); }
}());
