// What the files around the pictures share, as window.mantel: settings, requests, elements.
//
// Everything in this folder is plain ES5 and works on every rung of the ladder. Nothing here may be
// needed for a picture to show: ladder.js has started before.
(function () {
  'use strict';

  var mantel = window.mantel = window.mantel || {};
  var root = mantel.root = document.documentElement;

  // What the page says, in the language of the screen once its words have come (server/words/), until then and for what
  // they don't have in English; # stands for what is filled in.
  mantel.t = function (text, fill) {
    return (window.mantelWords && mantelWords[text] || text).replace('#', function () { return fill; });
  };
  mantel.language = function () { return mantel.get('lang') || navigator.language || 'en'; };

  mantel.by = function (id) { return document.getElementById(id); };

  mantel.make = function (tag, parent, name, text) {
    var element = document.createElement(tag);
    if (name) { element.className = name; }
    if (text) { element.textContent = text; }
    if (parent) { parent.appendChild(element); }
    return element;
  };

  mantel.on = function (names, act, target) {
    names.split(' ').forEach(function (name) {
      (target || window).addEventListener(name, act, false);
    });
  };

  // An event of our own on the window; the viewer and the ladder listen to some.
  mantel.say = function (name) {
    var event = document.createEvent('Event');
    event.initEvent('mantel-' + name, false, false);
    window.dispatchEvent(event);
  };

  mantel.request = function (method, path, body, done) {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      var ok = call.status >= 200 && call.status < 300, answer = null;
      try { answer = JSON.parse(call.responseText); } catch (e) { answer = null; }
      if (done) { done(ok, answer, call.responseText, call.status); }
    };
    call.open(method, path, true);
    call.timeout = 10000;
    if (body) { call.setRequestHeader('Content-Type', 'application/json'); }
    call.send(body ? JSON.stringify(body) : null);
  };

  // ---- settings: the page's own query

  function pairs() {
    return location.search.replace(/^\?/, '').split('&').filter(Boolean);
  }

  function decoded(text) {
    try { return decodeURIComponent(text.replace(/\+/g, ' ')); } catch (e) { return text; }
  }

  mantel.get = function (key, otherwise) {
    for (var i = 0, all = pairs(); i < all.length; i++) {
      if (all[i].split('=')[0] === key) { return decoded(all[i].slice(key.length + 1)); }
    }
    return otherwise || '';
  };

  mantel.isOn = function (key, otherwise) {
    return !/^(|off|0|no|false)$/.test(mantel.get(key, otherwise));
  };

  // Takes effect at once where the engine can change an address without loading it.
  mantel.set = function (key, value) {
    var all = pairs().filter(function (pair) { return pair.split('=')[0] !== key; });
    if (value) { all.push(key + '=' + encodeURIComponent(value).replace(/%2C/g, ',')); }
    var address = location.pathname + (all.length ? '?' + all.join('&') : '');
    if (!window.history || !history.replaceState) { location.href = address; return; }
    history.replaceState(null, '', address);
    mantel.say('settings');
  };

  // Drops what chooses pictures and how they are made; what lies over them stays.
  mantel.showAll = function () {
    var rest = pairs().filter(function (pair) {
      return WHICH.concat(HOW, DRAWN, 'size').indexOf(pair.split('=')[0]) < 0;
    });
    location.replace(location.pathname + (rest.length ? '?' + rest.join('&') : ''));
  };

  // What chooses pictures and their shape, for requests that mean the ones on this screen.
  var WHICH = ['channel', 'album', 'from', 'to', 'rating', 'keyword', 'orientation', 'on-this-day', 'newest', 'favourites', 'interrupts'];
  var HOW = ['fit', 'quality', 'transition', 'pair'];
  // The server is asked for these where it draws and blends; the viewer does so itself.
  var DRAWN = ['bitrate', 'gop', 'fps', 'paint', 'caption'];

  function asked(names) {
    return pairs().filter(function (pair) {
      var at = names.indexOf(pair.split('=')[0]);
      return at >= 0 && (pair.indexOf('=') < pair.length - 1 || names[at] === 'on-this-day');
    });
  }

  mantel.choice = function () { return '?' + asked(WHICH).join('&'); };

  mantel.shape = function () {
    var ratio = window.devicePixelRatio || 1;
    function side(length) { return Math.max(1, Math.round(length * ratio)); }
    var how = root.getAttribute('data-rung') === 'wasm' ? HOW : HOW.concat(DRAWN);
    return '?' + ['size=' + (mantel.get('size') || side(innerWidth) + 'x' + side(innerHeight))].concat(asked(how), asked(WHICH)).join('&');
  };

  // ---- a word that appears and goes

  var hiding;

  mantel.toast = function (text) {
    var element = mantel.by('toast');
    element.textContent = text;
    element.className = 'on';
    clearTimeout(hiding);
    hiding = setTimeout(function () { element.className = ''; }, 1600);
  };

  // ---- the engine, as people who look after TVs need it; nothing is decided by it

  function version(marks) {
    for (var i = 0; i < marks.length; i++) {
      var found = navigator.userAgent.match(new RegExp(marks[i][1]));
      if (found) { return (marks[i][0] + ' ' + (found[1] || '')).trim(); }
    }
    return '';
  }

  mantel.engine = (version([['Chromium', 'Chrom(?:e|ium)/(\\d+)'], ['Firefox', 'Firefox/(\\d+)'],
    ['WebKit', 'Version/(\\d+)'], ['WebKit', 'AppleWebKit/(\\d+)']]) || 'unknown engine') +
    version([[', Tizen', 'Tizen (\\d+\\.?\\d*)'], [', webOS', 'Web0S'], [', Android', 'Android (\\d+)'],
      [', iPad', 'iPad'], [', iPhone', 'iPhone']]);
  // Whoever wants to know what is known of each slide adds a function here that says so.
  mantel.needsFacts = [];
  mantel.started = new Date().getTime();
  root.setAttribute('data-engine', mantel.engine);
}());
