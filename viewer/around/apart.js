// Sends for what is loaded apart, so that no screen waits for it: server/pages/. Reports and figures, what is
// said when there is nothing to show, what keeps the screen on, what shows that there is a menu, and what keeps
// pictures for when the server is away, which works in secure pages alone.
(function () {
  'use strict';

  var mantel = window.mantel;

  // The first picture comes first; and none of these is among the scripts by which a page knows whether it is
  // the server's. But where a stream is about to be shown in an <img>, old engines may load nothing beside it.
  var LATER_MS = 1500, AGAIN_MS = 10000;
  var names = ['report', 'problem', 'awake'];

  // The words of its language; English is here.
  var language = /^(?!en\b)[a-z]{2,3}\b/.exec(mantel.language().toLowerCase());
  if (language) { names.unshift('words-' + language[0]); }
  // A preview on the settings page is no screen.
  if (window.top === window) {
    names.push('bar', 'hold', 'wish');
    // One with a name learns of its settings.
    if (mantel.get('name')) { names.push('named'); }
    if (window.isSecureContext) { names.push('kept'); }
  }
  // All at once, and they run as they come: none calls what another one defines.
  function load(name) {
    var script = mantel.make('script', document.body);
    // A server that is away for a moment is no reason to go without until the next visit.
    script.onerror = function () { setTimeout(function () { load(name); }, AGAIN_MS); };
    script.src = name + '.js';
  }
  function loadAll() { names.forEach(load); }
  if (mantel.root.getAttribute('data-rung') === 'wasm') { setTimeout(loadAll, LATER_MS); } else { loadAll(); }
}());
