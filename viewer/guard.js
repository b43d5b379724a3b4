// Keeps the page itself well for months: a viewer that is stuck or has failed is loaded anew, at most
// once an hour, and so is one that is older than its server. Plain ES5, like ladder.js.
//
// Never while the server is away: a browser would show its own page of errors, and nobody would be
// there to press a key.
(function () {
  'use strict';

  var HOUR_MS = 60 * 60 * 1000, LOOK_MS = 20000, RETRY_MS = 10000;
  var KEY = 'mantel-reloaded';
  var mantel = window.mantel = window.mantel || {}, root = document.documentElement;

  // ---- what outlives a reload: when it was, and for which version

  // Storage may be forbidden or full; a window's name outlives a reload as well.
  function remembered() {
    var text = '';
    try { text = sessionStorage.getItem(KEY) || ''; } catch (e) { text = ''; }
    text = text || (new RegExp(KEY + '=(\\S+)').exec(window.name) || [])[1] || '';
    return { at: parseFloat(text) || 0, version: text.replace(/^[^,]*,?/, '') };
  }

  function remember(version) {
    var text = new Date().getTime() + ',' + version;
    try { sessionStorage.setItem(KEY, text); } catch (e) { window.name = KEY + '=' + text; }
  }

  // ---- the page as the server has it now

  // This script and the viewer have their content's hash in their names.
  var assets = document.querySelector('meta[name=mantel-viewer]'), script = document.currentScript;
  var own = [assets && assets.getAttribute('data-wasm'), script && script.getAttribute('src')].filter(Boolean);

  // Tells `done` the page's text, or nothing where something else answers: a captive portal, a proxy.
  function fetchPage(done) {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      var text = call.status === 200 ? call.responseText : '';
      done(text.indexOf('mantel-viewer') < 0 ? '' : text);
    };
    call.open('GET', location.href.split('#')[0], true);
    call.timeout = RETRY_MS;
    call.send();
  }

  function versionOf(text) {
    return (text.match(/(data-wasm|script src)="[^"]*"/g) || []).join('').replace(/[^\w.-]+/g, '_');
  }

  function isNew(text) {
    return own.some(function (name) { return text.indexOf(name) < 0; });
  }

  var leaving = false;

  function leave(version, why) {
    leaving = true;
    root.setAttribute('data-reason', why);
    remember(version);
    location.reload();
  }

  // Loads the page anew once the server answers; false when that was done within the last hour.
  mantel.reload = function (why) {
    var last = remembered(), age = new Date().getTime() - last.at;
    // A clock that was set back is no reason to wait for a year.
    if (leaving || (age > -HOUR_MS && age < HOUR_MS)) { return leaving; }
    leaving = true;
    (function again() {
      fetchPage(function (text) {
        if (text) { leave(versionOf(text), why); } else { setTimeout(again, RETRY_MS); }
      });
    }());
    return true;
  };

  // A version is loaded once: where a proxy answers with an old page, that would go on for ever.
  function lookForNew() {
    fetchPage(function (text) {
      if (text && !leaving && isNew(text) && remembered().version !== versionOf(text)) {
        leave(versionOf(text), 'the server has a newer viewer');
      }
    });
  }

  setInterval(lookForNew, HOUR_MS);
  var before = '';
  if (typeof MutationObserver === 'function') {
    new MutationObserver(function () {
      var now = root.getAttribute('data-state');
      if (before === 'reconnecting' && now === 'playing') { lookForNew(); }
      before = now;
    }).observe(root, { attributes: true, attributeFilter: ['data-state'] });
  }

  // ---- whether the viewer goes with the server

  var dwell = 10000, slide = null, since = new Date().getTime(), nApart = 0;
  window.addEventListener('mantel-slide', function (event) {
    dwell = event.detail && event.detail.dwellMillis || dwell;
  }, false);

  // The page says that it plays, and yet its slide has stood for long: the server knows better.
  setInterval(function () {
    var now = new Date().getTime(), seen = root.getAttribute('data-slide');
    if (seen !== slide || root.getAttribute('data-state') !== 'playing' || document.hidden ||
        !mantel.request || now < since) {
      slide = seen;
      since = now;
      nApart = 0;
    } else if (now - since > 2 * dwell + 3 * LOOK_MS) {
      mantel.request('GET', 'status' + mantel.shape(), null, function (ok, status) {
        var there = ok && status && status.channel && status.channel.slide;
        if (!there || seen !== root.getAttribute('data-slide')) { return; }
        nApart = String(there.number) === seen ? 0 : nApart + 1;
        if (nApart > 2) { mantel.reload('the viewer was stuck'); }
      });
    }
  }, LOOK_MS);
}());
