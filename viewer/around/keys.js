// Keys, remotes, gamepads, fingers and the pointer: what each asks for, and carrying it out.
//
// Codes are KeyboardEvent.keyCode, which every engine has and which is all that remotes of Tizen and
// webOS reliably set. Letters go by what is printed on the key, where the engine says.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root, t = mantel.t;

  // ---- what can be asked for

  function command(name, word) {
    // Of live pictures there is none before or after the one that is on, and none to stop at.
    if (mantel.isLive()) { return; }
    mantel.toast(word);
    mantel.request('POST', 'control' + mantel.choice(), { command: name, by: mantel.get('name') || undefined }, function (ok, channel) {
      if (!ok) { return mantel.toast(t('No answer from the server')); }
      // Two presses in a row are a pause and its end, however late the next status is.
      if (mantel.status && channel) { mantel.status.channel.paused = channel.paused; }
      mantel.ask();
    });
  }

  // Engines of TVs have the prefixed names only.
  function fullScreen() {
    var isFull = document.fullscreenElement || document.webkitFullscreenElement;
    var target = isFull ? document : root;
    var act = isFull ? target.exitFullscreen || target.webkitExitFullscreen :
      target.requestFullscreen || target.webkitRequestFullscreen;
    var promise = act && act.call(target);
    if (promise && promise.then) { promise.then(null, function () {}); }
  }

  var acts = {
    next: function () { command('next', t('Next')); },
    previous: function () { command('previous', t('Previous')); },
    pause: function () { command('pause', t('Paused')); },
    resume: function () { command('resume', t('Playing')); },
    toggle: function () { acts[mantel.paused() ? 'resume' : 'pause'](); },
    full: fullScreen,
    stats: function () { mantel.set('stats', mantel.isOn('stats') ? '' : '1'); },
    menu: function () { mantel.menu(true); },
    clock: function () { mantel.set('clock', mantel.isOn('clock') ? '' : 'on'); },
    caption: function () { mantel.set('caption', mantel.captions().length ? 'off' : 'all'); },
    // Closes what lies over the picture. When nothing does, the key is the platform's: on a TV it
    // leaves the page.
    back: function () { return mantel.isOn('stats') ? mantel.set('stats', '') : false; }
  };

  // Whether it was taken; if not, the key is left to the browser.
  mantel.act = function (name) {
    return acts[name]() !== false;
  };

  // ---- keys

  var LETTERS = { n: 'next', p: 'previous', f: 'full', s: 'stats', m: 'menu', c: 'caption', t: 'clock',
    MediaPlayPause: 'toggle', MediaPlay: 'resume', MediaPause: 'pause', MediaStop: 'pause',
    MediaTrackNext: 'next', MediaFastForward: 'next', MediaTrackPrevious: 'previous', MediaRewind: 'previous',
    ContextMenu: 'menu' };

  // Each action with its keys: arrows, page keys, letters; then fast forward, channel and track keys of
  // Tizen, webOS, Android and desktops; colour keys from red (403) to blue (406).
  var CODES = {
    next: [39, 34, 78, 417, 427, 10233, 176, 228],
    previous: [37, 33, 80, 412, 428, 10232, 177, 227],
    toggle: [13, 32, 10252, 179],
    resume: [415],
    pause: [19, 413, 178],
    full: [70],
    stats: [83, 38, 457, 406],
    menu: [40, 77, 93, 403, 10133, 10135],
    caption: [67, 404, 10221],
    clock: [84, 405],
    back: [27, 461, 10009]
  };
  var byCode = {};
  Object.keys(CODES).forEach(function (name) {
    CODES[name].forEach(function (code) { byCode[code] = name; });
  });

  // By what lies over the picture.
  function taken(code) { return mantel.inMenu(code) || !!mantel.inProblem && mantel.inProblem(code); }

  mantel.on('keydown', function (event) {
    // Ctrl+S, Alt+Left and the like belong to the browser.
    if (event.ctrlKey || event.altKey || event.metaKey) { return; }
    var key = event.key || '';
    if (taken(event.keyCode)) { return event.preventDefault(); }
    var name = LETTERS[key.length === 1 ? key.toLowerCase() : key] || byCode[event.keyCode];
    if (!name) { return; }
    // A key that is held repeats: good for `next`, a flicker for everything that toggles.
    if (event.repeat && name !== 'next' && name !== 'previous') { return; }
    if (mantel.act(name)) { event.preventDefault(); }
  });

  // Samsung sends media and colour keys only to pages that ask for them.
  if (window.tizen && window.tizen.tvinputdevice) {
    ('MediaPlay MediaPause MediaPlayPause MediaStop MediaRewind MediaFastForward MediaTrackPrevious ' +
      'MediaTrackNext ChannelUp ChannelDown ColorF0Red ColorF1Green ColorF2Yellow ColorF3Blue Info Caption')
      .split(' ').forEach(function (name) {
        try { window.tizen.tvinputdevice.registerKey(name); } catch (e) { /* this set has none */ }
      });
  }

  // ---- gamepads: they send no events, so they are looked at while one is there

  var PAD = { 0: 13, 1: 27, 4: 33, 5: 34, 8: 38, 9: 40, 12: 38, 13: 40, 14: 37, 15: 39 };
  var polling, held = {};

  function poll() {
    var pads = navigator.getGamepads(), down = {}, there = false;
    for (var i = 0; i < pads.length; i++) {
      if (!pads[i] || pads[i].connected === false) { continue; }
      there = true;
      var x = pads[i].axes[0] || 0, y = pads[i].axes[1] || 0;
      if (Math.abs(x) > 0.6) { down[x < 0 ? 37 : 39] = true; }
      if (Math.abs(y) > 0.6) { down[y < 0 ? 38 : 40] = true; }
      for (var b in PAD) {
        if (pads[i].buttons[b] && pads[i].buttons[b].pressed) { down[PAD[b]] = true; }
      }
    }
    for (var code in down) {
      if (!held[code] && !taken(Number(code))) { mantel.act(byCode[code]); }
    }
    held = down;
    if (!there) { clearInterval(polling); polling = null; }
  }

  mantel.on('gamepadconnected', function () {
    if (!polling && navigator.getGamepads) { polling = setInterval(poll, 80); }
  });

  // ---- one press at a time: tap zones, swipes and the long press

  // Fingers roll while they tap; less than this has not moved.
  var STILL = 14, SWIPE = 60, EDGE = 0.3, LONG_MS = 600, POINTER_MS = 2500;
  var press = null, longPress, hidePointer, touching = false;

  function down(x, y) {
    press = { x: x, y: y, moved: false };
    clearTimeout(longPress);
    longPress = setTimeout(function () {
      if (press && !press.moved) { press = null; mantel.act('stats'); }
    }, LONG_MS);
  }

  function moved(x, y) {
    if (press && (Math.abs(x - press.x) > STILL || Math.abs(y - press.y) > STILL)) { press.moved = true; }
  }

  function cancel() {
    clearTimeout(longPress);
    press = null;
  }

  // What a press that ends here means, if anything.
  function meaning(x, y) {
    if (!press) { return null; }
    var dx = x - press.x, dy = y - press.y, place = press.x / innerWidth;
    if (!press.moved) { return place < EDGE ? 'previous' : place > 1 - EDGE ? 'next' : 'toggle'; }
    if (Math.abs(dx) >= SWIPE && Math.abs(dx) > 1.5 * Math.abs(dy)) { return dx < 0 ? 'next' : 'previous'; }
    if (Math.abs(dy) >= SWIPE && Math.abs(dy) > 1.5 * Math.abs(dx)) { return dy < 0 ? 'full' : 'menu'; }
    return null;
  }

  function up(x, y) {
    moved(x, y);
    var name = meaning(x, y);
    cancel();
    if (name) { mantel.act(name); }
  }

  // What lies over the picture takes its own taps.
  function isOver(event) {
    var target = event.target;
    return mantel.overMenu(target) || target.tagName === 'A' || ['bar', 'problem'].some(function (id) {
      return mantel.by(id) && mantel.by(id).contains(target);
    });
  }

  // The only finger; none when there are two.
  function finger(event) { return event.touches.length > 1 ? null : event.changedTouches[0]; }

  mantel.on('touchstart', function (event) {
    var at = finger(event);
    touching = true;
    if (at && !isOver(event)) { down(at.clientX, at.clientY); } else { cancel(); }
  });
  mantel.on('touchmove', function (event) {
    var at = finger(event);
    if (at) { moved(at.clientX, at.clientY); }
  });
  mantel.on('touchend', function (event) {
    var at = finger(event);
    if (isOver(event)) { return; }
    // Otherwise the browser would send the same tap again as mouse events.
    if (event.cancelable) { event.preventDefault(); }
    if (at) { up(at.clientX, at.clientY); }
  });
  mantel.on('touchcancel', cancel);
  mantel.on('mousedown', function (event) {
    if (event.button === 0 && !isOver(event)) { down(event.clientX, event.clientY); }
  });
  mantel.on('mouseup', function (event) {
    if (event.button === 0) { up(event.clientX, event.clientY); }
  });
  // A long press would open the browser's menu over ours; a right click asks for it.
  mantel.on('contextmenu', function (event) {
    event.preventDefault();
    if (!touching) { mantel.act('menu'); }
  });

  function waitToHide() {
    clearTimeout(hidePointer);
    hidePointer = setTimeout(function () { root.classList.add('still'); }, POINTER_MS);
  }
  mantel.on('mousemove', function (event) {
    moved(event.clientX, event.clientY);
    touching = false;
    root.classList.remove('still');
    waitToHide();
  });
  waitToHide();
}());
