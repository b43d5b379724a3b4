// Tells the server once a minute how this screen is doing: POST /report, shared/src/report.rs. The last
// of the files, so it also sends for what is loaded apart.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var FIRST_MS = 15000, EVERY_MS = 60000, KEPT_MS = 1500;
  var id = Math.random().toString(36).slice(2, 12);

  function rounded(value) { return typeof value === 'number' && isFinite(value) ? Math.round(value * 10) / 10 : null; }

  mantel.reportNow = function () {
    var figures = mantel.stats();
    mantel.request('POST', 'report', {
      id: id,
      name: mantel.get('name'),
      rung: root.getAttribute('data-rung'),
      reason: root.getAttribute('data-reason') || '',
      state: root.getAttribute('data-state'),
      engine: mantel.engine,
      width: figures.canvasWidth,
      height: figures.canvasHeight,
      fps: rounded(figures.fps),
      late_frames: figures.nLateFrames || 0,
      decode_millis: rounded(figures.decodeMillis),
      memory_bytes: rounded((figures.wasmBytes || 0) + mantel.memory() || null),
      reconnects: figures.nReconnects || 0,
      slides: figures.nSlides || mantel.slides,
      slide: figures.slide || (mantel.facts ? mantel.facts.number : null),
      clock_offset_millis: mantel.status ? rounded(mantel.offset) : null,
      awake: mantel.awake,
      uptime_seconds: Math.round((new Date().getTime() - mantel.started) / 1000)
    });
  };

  function again() {
    if (!document.hidden && !mantel.away) { mantel.reportNow(); }
    setTimeout(again, EVERY_MS);
  }
  // A preview on the settings page is no screen.
  if (window.top === window) { setTimeout(again, FIRST_MS); }

  // A screen with a name learns of its settings.
  if (window.top === window && mantel.get('name')) {
    setTimeout(function () { mantel.make('script', document.body).src = 'named.js'; }, KEPT_MS);
  }

  // What keeps pictures for when the server is away works in secure pages alone, which hardly any TV
  // opens: it is loaded apart.
  if (window.isSecureContext && window.top === window) {
    // Later, so that it is none of the scripts by which a page knows whether it is the server's.
    setTimeout(function () { mantel.make('script', document.body).src = 'kept.js'; }, KEPT_MS);
  }
}());
