// Sends for what is loaded apart, so that no screen waits for it: server/pages/. Reports and figures, what is
// said when there is nothing to show, what keeps the screen on, what shows that there is a menu, and what keeps
// pictures for when the server is away, which works in secure pages alone.
(function () {
  'use strict';

  // The first picture comes first; and none of these is among the scripts by which a page knows whether it is
  // the server's.
  var LATER_MS = 1500;
  var isScreen = window.top === window, names = ['report', 'problem', 'awake', 'panel'];

  // A preview on the settings page is no screen.
  if (isScreen) { names.push('bar'); }
  if (isScreen && window.isSecureContext) { names.push('kept'); }
  setTimeout(function () {
    names.forEach(function (name) { window.mantel.make('script', document.body).src = name + '.js'; });
  }, LATER_MS);
}());
