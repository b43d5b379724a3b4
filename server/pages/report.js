// Tells the server once a minute how this screen is doing: POST /report, shared/src/report.rs. Also the
// viewer's figures, as other files here want them. Loaded by viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var FIRST_MS = 15000, EVERY_MS = 60000;
  var id = Math.random().toString(36).slice(2, 12);

  // A plain object, in milliseconds, bytes and pixels, without what is not known; on the lower rungs
  // there is hardly anything to know.
  mantel.stats = function () {
    var rung = root.getAttribute('data-rung');
    if (rung === 'wasm' && typeof wasm_bindgen === 'function' && wasm_bindgen.stats) {
      try { return wasm_bindgen.stats(); } catch (e) { /* it is starting, or has ended */ }
    }
    var ratio = window.devicePixelRatio || 1;
    return { rung: rung, canvasWidth: Math.round(innerWidth * ratio), canvasHeight: Math.round(innerHeight * ratio) };
  };

  mantel.memory = function () {
    return window.performance && performance.memory ? performance.memory.usedJSHeapSize : 0;
  };

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
      awake: mantel.awake || 'nothing',
      uptime_seconds: Math.round((new Date().getTime() - mantel.started) / 1000)
    });
  };

  function again() {
    if ((!mantel.resting || mantel.held) && !mantel.away) { mantel.reportNow(); }
    setTimeout(again, EVERY_MS);
  }
  // A preview on the settings page is no screen.
  if (window.top === window) { setTimeout(again, FIRST_MS); }
}());
