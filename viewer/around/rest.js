// Lets go of the server while nobody can see the page: a browser has six connections for all of its tabs,
// and a tab in the background would hold one for nothing. Says `mantel-rest`, and `mantel-wake` when the
// page is looked at again; <html data-rest> meanwhile.
//
// Engines of some TVs, and players in a small window, call a page hidden that is on the screen. They
// still paint it: a page that gets animation frames is seen, whatever it is called.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  // Engines give a page a frame or two after they have hidden it, a shown one some hundred in this time.
  var AFTER_MS = 5000, FEW = 10;
  var since = 0, nFrames = 0, timer;

  mantel.resting = false;

  function awaitFrame(mark) {
    requestAnimationFrame(function () {
      if (mark === since && document.hidden && ++nFrames <= FEW) { awaitFrame(mark); }
    });
  }

  function judge() {
    if (!document.hidden) { return; }
    // Looked at again: such a screen may be switched off later.
    if (nFrames > FEW) { look(); } else { rest(); }
  }

  function rest() {
    mantel.resting = true;
    root.setAttribute('data-rest', '');
    mantel.say('rest');
  }

  function look() {
    clearTimeout(timer);
    if (document.hidden) {
      if (mantel.resting) { return; }
      since = new Date().getTime();
      nFrames = 0;
      awaitFrame(since);
      timer = setTimeout(judge, AFTER_MS);
    } else if (mantel.resting) {
      mantel.resting = false;
      root.removeAttribute('data-rest');
      mantel.say('wake');
    }
  }

  if (window.requestAnimationFrame && 'hidden' in document) {
    mantel.on('visibilitychange', look, document);
    look();
  }
  // A page that was left may be kept by the browser, and with it what it holds.
  mantel.on('pagehide', rest);
  mantel.on('pageshow', look);
}());
