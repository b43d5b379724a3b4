// Video in the page, on live channels and for whoever asks for it by `?via=`: the H.264 that players get, in a <video>.
// Loaded only then.
//
//   webrtc  by WHEP, over UDP or TCP: a tenth of a second behind
//   mse     fragments of /stream.mp4, fetched and appended here: a moment behind
//   hls     the playlist, where the engine plays such by itself: some seconds behind
//   mp4     /stream.mp4 as the engine plays it by itself: some seconds behind
//
// A way is believed when a frame of it has been painted; after four seconds without the next one is taken (engines that
// play by themselves gather some seconds first and are given more), and after the last the pictures that every page has.
// <html data-via data-behind> tell which one it is and by how many seconds it is behind. Plain ES5.
(function () {
  'use strict';

  var PAINT_MS = 4000, GATHER_MS = 12000, TICK_MS = 250, RETRY_MS = 1000, LONGEST_MS = 10000, SETTLE_MS = 700;
  // How much of the video is kept behind what is on, in seconds, and how much more before it is taken away.
  var KEPT = 2, MORE = 5;
  // So far behind is as it should be; beyond it the video runs a little faster, and far beyond it jumps.
  var NEAR = 0.15, FAR = 0.35, LOST = 2;
  // The same of a stream that the engine gathers by itself: where it runs dry it gathers many more seconds first.
  var NEAR_PLAIN = 2.5, FAR_PLAIN = 3.5;
  // A live channel's picture is repeated a few times a second while it stands: without any for so long the server is away.
  var STILL_MS = 4000;
  var root = document.documentElement;
  var pairs = location.search.replace(/^\?/, '').split('&');

  function asked(name) {
    var found = pairs.filter(function (pair) { return pair.split('=')[0] === name; })[0];
    return found ? found.slice(name.length + 1) : '';
  }

  // A channel other than the gallery has pictures that somebody sends, in a size of their own.
  function isLive() {
    var named = /\/c\/([^/]*)\/$/.exec(location.pathname);
    var name = named ? named[1] : asked('channel');
    return !!name && name !== 'main';
  }

  // The page's own key aside, all that it was opened with is the video's as well; encoders take even sizes.
  function address(path) {
    var ratio = window.devicePixelRatio || 1;
    var own = pairs.filter(function (pair) { return pair && !/^(via|viewer|size|t)(=|$)/.test(pair); });
    function side(n) { return Math.max(16, Math.round(n * ratio / 2) * 2); }
    var width = side(window.innerWidth), height = side(window.innerHeight);
    // No larger than encoders take.
    var most = Math.min(1, 3840 / Math.max(width, height), 2160 / Math.min(width, height));
    // Whoever watches a live channel in its own size shares what is made.
    if (isLive() && !asked('size')) { return path + '?' + own.join('&'); }
    var size = asked('size') || Math.floor(width * most / 2) * 2 + 'x' + Math.floor(height * most / 2) * 2;
    return path + '?' + own.concat('size=' + size, 'note=off').join('&');
  }

  // ---- the ways

  // When the key frames come that are in a stream's pieces, in seconds: takes what is fetched, from the beginning.
  function keyFrames(found) {
    // What is left to pass over of an `mdat`, and the head of the next box.
    var over = 0, box = [], size = 8;
    function number(at) { return ((box[at] * 256 + box[at + 1]) * 256 + box[at + 2]) * 256 + box[at + 3]; }
    function name(at) { return String.fromCharCode(box[at], box[at + 1], box[at + 2], box[at + 3]); }
    // As `fmp4::chunk_head` writes it: the time stands in `tfdt`, and the flags of the first sample in `trun`.
    function look() {
      var time = 0;
      for (var at = 8; at + 28 <= box.length; at++) {
        if (name(at) === 'tfdt') { time = (number(at + 8) * 4294967296 + number(at + 12)) / 90000; }
        if (name(at) === 'trun') { return number(at + 24) & 65536 ? 0 : found.push(time); }
      }
    }
    return function (piece) {
      for (var at = 0; at < piece.length;) {
        var n = Math.min(over, piece.length - at);
        at += n;
        over -= n;
        for (; at < piece.length && !over && box.length < size; at++) { box.push(piece[at]); }
        if (over || box.length < size) { return; }
        var is = name(4);
        if (is === 'moof' && size === 8) {
          size = number(0);
          continue;
        }
        if (is === 'moof') { look(); } else { over = number(0) - 8; }
        box = [];
        size = 8;
      }
    };
  }

  // Reads `fetch`'s body and appends what comes. Calls `failed` once, when nothing more will come.
  function mse(video, failed) {
    var source = new MediaSource(), url = URL.createObjectURL(source);
    var buffer = null, waiting = [], head = [], nHead = 0, over = false;
    // The key frames that may be there, in seconds, and up to where nothing is.
    var keys = [], look = keyFrames(keys), gone = 0;
    var abort = window.AbortController ? new AbortController() : null;
    var reader = null;

    function fail(why) {
      if (over) { return; }
      stop();
      failed(why);
    }
    function stop() {
      over = true;
      if (abort) { abort.abort(); }
      if (reader) { reader.cancel().then(null, function () {}); }
      URL.revokeObjectURL(url);
    }
    function next() {
      if (over || !buffer || buffer.updating) { return; }
      try {
        // What is taken away ends at a key frame: an engine takes what builds upon it, too, and all there is where none follows.
        while (keys.length > 1 && keys[1] < video.currentTime - KEPT) { keys.shift(); }
        if (keys[0] > gone + MORE) {
          gone = keys[0];
          return buffer.remove(0, gone - 0.001);
        }
        if (waiting.length) { buffer.appendBuffer(waiting.shift()); }
      } catch (error) { fail(error.message); }
    }
    // The codec's name stands in the parameters, of which the first piece or two are made.
    function open() {
      var all = new Uint8Array(nHead), at = 0, codec = null;
      head.forEach(function (piece) { all.set(piece, at); at += piece.length; });
      for (var i = 0; i + 8 < all.length && !codec; i++) {
        if (String.fromCharCode(all[i], all[i + 1], all[i + 2], all[i + 3]) === 'avcC') {
          codec = [5, 6, 7].map(function (n) { return ('0' + all[i + n].toString(16)).slice(-2); }).join('');
        }
      }
      if (!codec) { return nHead > 65536 && fail('the video has no parameters'); }
      var kind = 'video/mp4; codecs="avc1.' + codec + '"';
      if (!MediaSource.isTypeSupported(kind)) { return fail('this engine does not play ' + kind); }
      buffer = source.addSourceBuffer(kind);
      buffer.onupdateend = next;
      buffer.onerror = function () { fail('the video could not be read'); };
      waiting.push(all);
      next();
    }
    function read() {
      reader.read().then(function (piece) {
        if (over) { return; }
        if (piece.done) { return fail('the video ended'); }
        look(piece.value);
        if (buffer) {
          waiting.push(piece.value);
          next();
        } else {
          head.push(piece.value);
          nHead += piece.value.length;
          open();
        }
        if (!over) { read(); }
      }).then(null, function (error) { fail(String(error)); });
    }
    source.addEventListener('sourceopen', function () {
      if (over || reader) { return; }
      var options = abort ? { signal: abort.signal, credentials: 'same-origin' } : { credentials: 'same-origin' };
      // What is read here is read to the byte.
      fetch(address('stream.mp4') + '&fill=off', options).then(function (answer) {
        if (over) { return; }
        if (!answer.ok || !answer.body) { return answer.text().then(fail); }
        reader = answer.body.getReader();
        read();
      }).then(null, function (error) { fail(String(error)); });
    });
    video.src = url;
    return stop;
  }

  // Servers of STUN and TURN, as the `Link` of an address of WHEP names them.
  function servers(link) {
    var found = [], all = /<([^>]+)>;\s*rel="ice-server"(?:;\s*username="([^"]*)";\s*credential="([^"]*)")?/g, one;
    while ((one = all.exec(link || ''))) {
      found.push(one[2] === undefined ? { urls: one[1] } : { urls: one[1], username: one[2], credential: one[3] });
    }
    return found;
  }

  // The server's answer to an offer names where it is reached; everything else is found out by trying.
  function webrtc(video, failed) {
    var peer = new RTCPeerConnection(), over = false, session = '', timer, last = null;

    function fail(why) {
      if (over) { return; }
      stop();
      failed(why);
    }
    function leave() {
      if (session) { fetch(session, { method: 'DELETE', credentials: 'same-origin', keepalive: true }).then(null, function () {}); }
      session = '';
    }
    function stop() {
      over = true;
      clearInterval(timer);
      window.removeEventListener('pagehide', leave, false);
      leave();
      peer.close();
    }
    // What waits to be shown, and half the way there and back.
    function measure() {
      peer.getStats().then(function (all) {
        var now = {};
        all.forEach(function (one) {
          if (one.type === 'inbound-rtp') { now.delay = one.jitterBufferDelay; now.n = one.jitterBufferEmittedCount; }
          if (one.type === 'candidate-pair' && one.nominated) { now.trip = one.currentRoundTripTime; }
        });
        if (last && now.n > last.n) {
          var behind = (now.delay - last.delay) / (now.n - last.n) + (now.trip || 0) / 2;
          root.setAttribute('data-behind', behind.toFixed(2));
        }
        last = now;
      }).then(null, function () {});
    }
    peer.ontrack = function (event) {
      if (over) { return; }
      video.srcObject = new MediaStream([event.track]);
      var playing = video.play();
      if (playing && playing.then) { playing.then(null, function () {}); }
    };
    peer.oniceconnectionstatechange = function () {
      if (peer.iceConnectionState === 'failed') { fail('the server is not reached by WebRTC'); }
    };
    peer.addTransceiver('video', { direction: 'recvonly' });
    fetch(address('whep'), { credentials: 'same-origin' }).then(function (answer) {
      var named = servers(answer.headers.get('Link'));
      if (named.length) { peer.setConfiguration({ iceServers: named }); }
      return peer.createOffer();
    }).then(function (offer) {
      return peer.setLocalDescription(offer).then(function () { return offer.sdp; });
    }).then(function (sdp) {
      return fetch(address('whep'), {
        method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/sdp' }, body: sdp
      });
    }).then(function (answer) {
      return answer.text().then(function (sdp) {
        if (!answer.ok) { throw new Error(sdp); }
        // The page may lie below another path than the server thinks.
        session = 'whep/' + String(answer.headers.get('Location')).split('/').pop();
        if (over) { return leave(); }
        return peer.setRemoteDescription({ type: 'answer', sdp: sdp });
      });
    }).then(null, function (error) { fail(error.message || String(error)); });
    window.addEventListener('pagehide', leave, false);
    timer = setInterval(measure, 1000);
    return stop;
  }

  // What the engine plays by itself.
  function plain(path) {
    return function (video, failed) {
      video.onended = function () { failed('the video ended'); };
      video.src = path();
      return function () {
        video.onended = video.onerror = null;
        video.removeAttribute('src');
        video.load();
      };
    };
  }
  function mp4() { return address('stream.mp4') + '&t=' + new Date().getTime(); }
  // The same for all who have this size.
  function list() { return address('hls/index.m3u8'); }

  function newVideo() { return document.createElement('video'); }
  var playsLists = newVideo().canPlayType('application/vnd.apple.mpegurl');
  var hasSource = window.MediaSource && window.fetch && window.Promise && window.Uint8Array &&
    window.Response && 'body' in Response.prototype;
  var hasPeers = window.RTCPeerConnection && RTCPeerConnection.prototype.addTransceiver && window.fetch && 'srcObject' in newVideo();
  var WAYS = { webrtc: hasPeers && webrtc, mse: hasSource && mse, hls: playsLists && plain(list), mp4: plain(mp4) };
  // What is tried after what is asked for, in this order.
  var ORDER = ['webrtc', 'mse', 'hls', 'mp4'];

  // ---- one <video> after the other, each over the one before once it is painted

  function box() { return document.getElementById('rung'); }

  function play(name, done) {
    var video = newVideo(), painted = false, over = false, stop, timer, giveUp;
    var moved = 0, at = -1;
    video.muted = video.autoplay = true;
    video.setAttribute('muted', '');
    video.setAttribute('playsinline', '');
    var style = video.style;
    style.position = 'absolute';
    style.top = style.left = '0';
    style.width = style.height = '100%';
    style.objectFit = 'contain';
    // Painted, but not seen, until there is something to see.
    style.opacity = '0';
    box().appendChild(video);

    function end(why, keep) {
      if (over) { return; }
      over = true;
      clearTimeout(giveUp);
      clearInterval(timer);
      if (stop) { stop(); }
      if (!keep) { remove(video); }
      if (why) { done(why, painted, video); }
    }
    function nPainted() {
      var quality = video.getVideoPlaybackQuality && video.getVideoPlaybackQuality();
      return quality ? quality.totalVideoFrames - quality.droppedVideoFrames : video.webkitDecodedFrameCount || video.currentTime;
    }
    function tick() {
      if (!painted && nPainted() > 0 && video.videoWidth) {
        painted = true;
        style.opacity = '1';
        root.setAttribute('data-via', name);
        root.setAttribute('data-shown', '');
        root.setAttribute('data-state', 'fallback');
        var old = [].slice.call(box().childNodes);
        setTimeout(function () {
          old.forEach(function (other) { if (other !== video) { remove(other); } });
        }, 400);
      }
      if (name !== 'webrtc') { keepUp(video, name); }
      // What an engine gathers by itself may be long.
      if (/hls|mp4/.test(name)) { return; }
      // Its time may go on by itself; what is painted does not.
      if (nPainted() !== at) {
        at = nPainted();
        moved = new Date().getTime();
      } else if (painted && new Date().getTime() - moved > STILL_MS) {
        end('nothing came any more', true);
      }
    }
    video.onerror = function () {
      end('the engine can not play it' + (video.error && video.error.message ? ': ' + video.error.message : ''), painted);
    };
    timer = setInterval(tick, TICK_MS);
    giveUp = setTimeout(function () { if (!painted) { end('no frame was painted'); } }, /hls|mp4/.test(name) ? GATHER_MS : PAINT_MS);
    try {
      stop = WAYS[name](video, function (why) { end(why, painted); });
    } catch (error) { end(String(error)); }
    if (over) { return function () {}; }
    var playing = video.play();
    if (playing && playing.then) { playing.then(null, function () {}); }
    return function (keep) { end(null, keep); };
  }

  function remove(element) {
    if (element.tagName === 'VIDEO') {
      element.onended = element.onerror = null;
      if (element.srcObject) { element.srcObject = null; }
      element.removeAttribute('src');
      element.load();
    }
    if (element.parentNode) { element.parentNode.removeChild(element); }
  }

  function keepUp(video, name) {
    var ranges = video.buffered;
    if (!ranges.length) { return; }
    var end = ranges.end(ranges.length - 1), start = ranges.start(ranges.length - 1);
    var behind = end - video.currentTime;
    root.setAttribute('data-behind', behind.toFixed(2));
    // Where segments come, the engine keeps as many as it needs, and Chromium's gives up at any other rate.
    if (name === 'hls') { return; }
    // Into the range that grows: a hole in the video would hold it up for ever.
    if (video.currentTime < start || behind > LOST && video.seekable.length && video.seekable.end(0) > video.currentTime) {
      if (name !== 'mp4') { video.currentTime = Math.max(start, end - NEAR); }
    }
    var isPlain = name === 'mp4', near = isPlain ? NEAR_PLAIN : NEAR, far = isPlain ? FAR_PLAIN : FAR;
    var rate = behind > far ? 1.5 : behind > near ? 1.05 : 1;
    // Once it is near it runs on at its own rate until it is far.
    if (video.playbackRate !== rate && (rate !== 1.05 || video.playbackRate === 1.5)) { video.playbackRate = rate; }
  }

  // ---- which one

  // What the ladder calls in place of starting the viewer; `others` starts that.
  window.mantelVia = function (others) {
    // Photos are best as they are, and so is whatever a live channel shows where no video gets through.
    var wanted = asked('via') || (isLive() ? 'webrtc' : 'bytes'), stop = null, pause = RETRY_MS, timer, works = null, current = '';
    var ways = ORDER.slice(Math.max(0, ORDER.indexOf(wanted))).filter(function (name) {
      // Seconds behind are no way to see what happens now.
      return WAYS[name] && (name !== 'mp4' || wanted === 'mp4' || !isLive());
    });
    if (ORDER.indexOf(wanted) < 0 || !ways.length) { return others(); }
    root.setAttribute('data-rung', 'video');

    function begin() {
      clearTimeout(timer);
      if (stop || document.hidden || root.hasAttribute('data-rest')) { return; }
      current = works || ways[0];
      stop = play(current, ended);
    }
    function ended(why, painted) {
      stop = null;
      root.setAttribute('data-reason', why);
      if (painted || works) {
        // It is known to work: the server may be away, or has another rendition. The last frame stays meanwhile.
        works = works || current;
        pause = painted ? RETRY_MS : Math.min(2 * pause, LONGEST_MS);
        if (!painted) { root.setAttribute('data-state', 'reconnecting'); }
        timer = setTimeout(begin, pause);
        return;
      }
      ways.shift();
      if (ways.length) { return begin(); }
      root.removeAttribute('data-rung');
      root.removeAttribute('data-behind');
      root.setAttribute('data-state', 'connecting');
      off();
      others();
    }
    function rest() {
      clearTimeout(timer);
      if (stop) { stop(true); }
      stop = null;
    }
    function renew() {
      clearTimeout(timer);
      timer = setTimeout(function () { rest(); begin(); }, SETTLE_MS);
    }
    var all = { 'mantel-rest': rest, 'mantel-wake': begin, 'mantel-settings': renew, resize: renew };
    // Nobody sees a hidden page, and the source of a live channel may rest.
    function look() { if (document.hidden) { rest(); } else { begin(); } }
    Object.keys(all).forEach(function (name) { window.addEventListener(name, all[name], false); });
    document.addEventListener('visibilitychange', look, false);
    function off() {
      Object.keys(all).forEach(function (name) { window.removeEventListener(name, all[name], false); });
      document.removeEventListener('visibilitychange', look, false);
    }
    begin();
  };
}());
