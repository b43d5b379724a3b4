// A screen with a name goes by the settings that are kept under it: at its start, and from the moment on when
// somebody changes them on another device. ES5; loaded apart, and only where there is a name.
//
// One question waits at the server until there is something new, a minute at most: engines keep kilobytes of each
// request for long.
(function () {
  'use strict';

  var mantel = window.mantel, WAIT_MS = 70000, RETRY_MS = 15000, HIDDEN_MS = 60000, ONCE_MS = 1000;
  // What takes effect without loading the page anew.
  var LIVE = ['clock', 'date', 'caption', 'ago', 'fit', 'pair', 'motion', 'transition', 'awake', 'stats', 'night'];
  var version = '', call = null, timer, veil = null, darkening, LIT_MS = 300000;

  function pairs(query) {
    return query.replace(/^\?/, '').split('&').filter(function (pair) { return pair && pair.split('=')[0] !== 'name'; });
  }

  // The keys in which two queries differ.
  function changed(a, b) {
    var keys = {};
    a.concat(b).forEach(function (pair) {
      if (a.indexOf(pair) < 0 || b.indexOf(pair) < 0) { keys[pair.split('=')[0]] = true; }
    });
    return Object.keys(keys);
  }

  function apply(query) {
    var kept = pairs(query), keys = changed(pairs(location.search), kept);
    if (!keys.length) { return; }
    var address = location.pathname + '?' + kept.concat('name=' + encodeURIComponent(mantel.get('name'))).join('&');
    var isLive = keys.every(function (key) { return LIVE.indexOf(key) >= 0; });
    if (!isLive || !window.history || !history.replaceState) { location.replace(address); return; }
    history.replaceState(null, '', address);
    mantel.say('settings');
  }

  // Somebody has touched a screen that its own night darkens: five minutes of light.
  function lit() {
    try { return Date.now() < Number(sessionStorage.getItem('mantel-lit')); } catch (e) { return false; }
  }

  // Less light by a veil over the page: so much of light is its 2.2th root of a colour's number.
  function dim(light, warm) {
    var share = Math.pow((light >= 0 && !lit() ? light : 100) / 100, 1 / 2.2);
    if (!veil && share > 0.99) { return; }
    if (!veil) {
      veil = mantel.make('div', document.body, 'veil');
      veil.style.cssText = 'position:fixed;top:0;left:0;right:0;bottom:0;pointer-events:none;z-index:2147483647;transition:opacity 4s';
    }
    veil.style.backgroundColor = warm ? '#180a00' : '#000';
    veil.style.opacity = Math.round((1 - share) * 1000) / 1000;
    veil.setAttribute('data-light', light);
  }

  function touched() {
    if (!veil || Number(veil.style.opacity) === 0) { return; }
    try { sessionStorage.setItem('mantel-lit', Date.now() + LIT_MS); } catch (e) { return; }
    dim(100, false);
    untilDark();
  }

  // What holds is asked for anew when that light is over.
  function untilDark() {
    clearTimeout(darkening);
    darkening = setTimeout(function () {
      var old = call;
      version = '';
      call = null;
      if (old) { old.abort(); }
      later(0);
    }, LIT_MS + 1000);
  }
  ['keydown', 'mousedown', 'touchstart'].forEach(function (kind) { document.addEventListener(kind, touched, true); });

  function later(pause) {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  }

  function ask() {
    var name = mantel.get('name'), hidden = document.hidden;
    if (!name || call) { return; }
    call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (!call || call.readyState !== 4) { return; }
      var answer = null;
      try { answer = call.status === 200 && JSON.parse(call.responseText); } catch (e) { answer = null; }
      call = null;
      later(hidden ? HIDDEN_MS : answer ? ONCE_MS : RETRY_MS);
      if (!answer || answer.version === version) { return; }
      // A page of its own, which holds nothing and lets the panel rest.
      if (answer.asleep && !(answer.by_night && lit())) { location.replace('asleep' + location.search); return; }
      dim(answer.light, answer.warm);
      if (answer.light < 100 && lit()) { untilDark(); }
      version = answer.version;
      if (typeof answer.query === 'string') { apply(answer.query); }
    };
    // A page that nobody sees holds no connection: a browser has six for all its pages.
    call.open('GET', 'profiles/' + encodeURIComponent(name) + '?not=' + version + (hidden ? '' : '&wait=1'), true);
    call.timeout = WAIT_MS;
    call.send();
  }

  document.addEventListener('visibilitychange', function () {
    if (document.hidden && call) {
      var old = call;
      call = null;
      old.abort();
      later(HIDDEN_MS);
    } else if (!document.hidden) {
      later(0);
    }
  }, false);

  ask();
}());
