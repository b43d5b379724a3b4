// Keeps the last pictures on this device, within a budget, and shows them while the server is away.
// Loaded by viewer/around/apart.js, only where pages are secure (https, localhost): elsewhere engines
// keep nothing. `?offline=off` ends it and throws away what was kept. Whatever is missing, forbidden or
// full leaves the page as it was.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var BUDGET_BYTES = 30e6, NAME = 'mantel-pictures-1';
  // Quickly at first; then seldom, since flash wears out and this runs for years.
  var LOOK_MS = 5000, EVERY_MS = 15000, SELDOM_MS = 10 * 60000, FEW = 30, SHOWN_MS = 12000, AFTER_MS = 2500, REGISTER_MS = 4000, RELOAD_MS = 10 * 60000;

  var store = null, keptAt = 0, keeping = false, layer = null, showing = null, urls = [], next = 0, every = EVERY_MS;

  function quietly() {}

  function entries() { return store.keys(); }

  // What may be written about a picture goes with it, in a header, which takes ASCII alone. Where the server has
  // drawn it into the picture, nothing is left to write.
  function noted(facts, caption) {
    var drawn = root.getAttribute('data-rung') !== 'wasm' && caption !== 'off';
    return encodeURIComponent(drawn ? '{}' : facts.text);
  }

  function factsOf(kept) {
    try { return JSON.parse(decodeURIComponent(kept.headers.get('X-Facts'))) || {}; } catch (e) { return {}; }
  }

  // The oldest go first; what one takes is written beside it, so that nothing has to be read to know.
  function makeRoom(needed) {
    return entries().then(function (keys) {
      every = keys.length < FEW ? EVERY_MS : SELDOM_MS;
      return Promise.all(keys.map(function (key) {
        return store.match(key).then(function (kept) { return Number(kept && kept.headers.get('X-Bytes')) || 0; });
      })).then(function (sizes) {
        var total = sizes.reduce(function (sum, size) { return sum + size; }, needed), drops = [];
        for (var i = 0; i < keys.length && total > BUDGET_BYTES; i++) {
          total -= sizes[i];
          drops.push(store.delete(keys[i]));
        }
        return Promise.all(drops);
      });
    });
  }

  function keep() {
    var facts = mantel.facts, now = new Date().getTime(), on = mantel.onScreen();
    if (!store || keeping || mantel.away || mantel.resting || now - keptAt < every) { return; }
    // What is known may be of a slide that has gone: the answer leads here again.
    if (!facts || (on && on !== facts.number)) { mantel.ask(); return; }
    var key = 'kept/' + encodeURIComponent(facts.photo + (facts.beside ? '+' + facts.beside.photo : ''));
    var caption = root.getAttribute('data-rung') === 'wasm' ? 'off' : mantel.get('caption');
    var note = noted(facts, caption);
    keeping = true;
    store.match(key).then(function (there) {
      if (there) { keptAt = now; }
      return there ? null : fetch('snapshot' + mantel.shape() + '&note=off' + (caption ? '&caption=' + caption : ''));
    }).then(function (answer) {
      // A command may have come in between: the wrong name under a picture is worse than none.
      if (!answer || !answer.ok || answer.headers.get('X-Slide') !== String(facts.number)) { return null; }
      return answer.blob();
    }).then(function (picture) {
      if (!picture || !/^image\//.test(picture.type) || picture.size > BUDGET_BYTES / 4) { return null; }
      keptAt = now;
      return makeRoom(picture.size).then(function () {
        return store.put(key, new Response(picture, { headers: {
          'Content-Type': picture.type, 'X-Bytes': picture.size, 'X-Facts': note
        } }));
      });
    }).then(done, function () {
      keptAt = now;
      done();
      // Full before the budget is: half of it has to do.
      makeRoom(BUDGET_BYTES / 2).then(quietly, quietly);
    });
  }

  function done() { keeping = false; }

  // ---- while the server is away

  function needed() {
    var state = root.getAttribute('data-state');
    return mantel.away && state !== 'playing' && state !== 'paused';
  }

  function step() {
    clearTimeout(showing);
    if (!needed()) { return end(); }
    entries().then(function (keys) {
      if (!keys.length || !needed()) { return null; }
      next = (next + 1) % keys.length;
      return store.match(keys[next]).then(function (kept) {
        return kept.blob().then(function (picture) { present(picture, factsOf(kept)); });
      });
    }).then(quietly, quietly);
    showing = setTimeout(step, SHOWN_MS);
  }

  function present(picture, facts) {
    if (!layer) {
      layer = mantel.make('div');
      layer.id = 'kept';
      document.body.insertBefore(layer, mantel.by('lost'));
    }
    var image = mantel.make('img', layer), url = URL.createObjectURL(picture);
    urls.push(url);
    image.alt = mantel.t('A photo kept on this device');
    image.onload = function () {
      root.setAttribute('data-kept', '');
      image.className = 'on';
      tell(facts);
      setTimeout(function () {
        while (image.parentNode === layer && layer && layer.firstChild !== image) {
          layer.removeChild(layer.firstChild);
          URL.revokeObjectURL(urls.shift());
        }
      }, 1500);
    };
    image.onerror = function () { if (image.parentNode) { image.parentNode.removeChild(image); URL.revokeObjectURL(url); } };
    image.src = url;
  }

  // The words over the picture are its own, not those of the slide before.
  function tell(facts) {
    mantel.kept = facts;
    mantel.say('kept');
  }

  function end() {
    clearTimeout(showing);
    if (!layer) { return; }
    document.body.removeChild(layer);
    root.removeAttribute('data-kept');
    urls.splice(0).forEach(function (url) { URL.revokeObjectURL(url); });
    layer = null;
    tell(null);
  }

  // A page that came from this device may be older than the server that is back: the server's is
  // loaded, once in a while at most.
  function back() {
    setTimeout(end, 1000);
    if (!root.hasAttribute('data-kept-page')) { return; }
    var last = 0;
    try {
      last = Number(sessionStorage.getItem('mantel-reload'));
      sessionStorage.setItem('mantel-reload', new Date().getTime());
    } catch (e) { return; }
    if (new Date().getTime() - last > RELOAD_MS) { location.reload(); }
  }

  // ----

  function forget() {
    navigator.serviceWorker.getRegistrations().then(function (all) {
      all.forEach(function (one) { one.unregister(); });
    }).then(null, quietly);
    caches.keys().then(function (names) {
      names.forEach(function (name) { if (/^mantel-/.test(name)) { caches.delete(name); } });
    }).then(null, quietly);
  }

  mantel.on('mantel-status', function () { if (root.hasAttribute('data-kept-page')) { back(); } });

  try {
    if (!window.isSecureContext || !window.caches || !navigator.serviceWorker || window.top !== window) { return; }
    if (!mantel.isOn('offline', 'on')) { return forget(); }
    caches.open(NAME).then(function (opened) {
      store = opened;
      setTimeout(keep, AFTER_MS);
      setInterval(keep, LOOK_MS);
      mantel.on('mantel-facts', keep);
      mantel.on('mantel-away', step);
      mantel.on('mantel-back', back);
      if (mantel.away) { step(); }
      // The first picture comes first.
      setTimeout(function () { navigator.serviceWorker.register('sw.js').then(quietly, quietly); }, REGISTER_MS);
    }).then(null, quietly);
  } catch (e) { /* Storage is forbidden here. */ }
}());
