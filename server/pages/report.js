// How this screen is doing: told to the server once a minute (POST /report, shared/src/report.rs), and to people
// by the statistics panel. Loaded by viewer/around/apart.js.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var FIRST_MS = 15000, EVERY_MS = 60000;
  var id = Math.random().toString(36).slice(2, 12);

  // A plain object, in milliseconds, bytes and pixels, without what is not known; on the lower rungs
  // there is hardly anything to know.
  function stats() {
    var rung = root.getAttribute('data-rung');
    if (rung === 'wasm' && typeof wasm_bindgen === 'function' && wasm_bindgen.stats) {
      try { return wasm_bindgen.stats(); } catch (e) { /* it is starting, or has ended */ }
    }
    var ratio = window.devicePixelRatio || 1;
    var via = rung === 'video' && root.getAttribute('data-via'), behind = 1000 * root.getAttribute('data-behind');
    if (via) {
      var video = document.querySelector('#rung video') || {};
      return {
        rung: rung, via: via, behindMillis: behind, sourceWidth: video.videoWidth, sourceHeight: video.videoHeight,
        canvasWidth: Math.round(innerWidth * ratio), canvasHeight: Math.round(innerHeight * ratio)
      };
    }
    return { rung: rung, canvasWidth: Math.round(innerWidth * ratio), canvasHeight: Math.round(innerHeight * ratio) };
  }
  mantel.stats = stats;

  function memory() {
    return window.performance && performance.memory ? performance.memory.usedJSHeapSize : 0;
  }

  function rounded(value) { return typeof value === 'number' && isFinite(value) ? Math.round(value * 10) / 10 : null; }

  mantel.reportNow = function () {
    var figures = stats();
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
      memory_bytes: rounded((figures.wasmBytes || 0) + memory() || null),
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

  // The panel: figures of the viewer where it runs, of the page in any case.
  var table = mantel.by('stats'), cells = {}, timer;

  // Names tell units: decodeMillis is a time, memoryBytes a size, nSlides a count.
  function label(key) {
    return key.replace(/^n([A-Z])/, '$1').replace(/(Millis|Bytes)$/, '')
      .replace(/([A-Z])/g, ' $1').toLowerCase().trim();
  }

  function figure(key, value) {
    if (/Bytes$/.test(key)) { return (value / 1e6).toFixed(1) + ' MB'; }
    if (/Millis$/.test(key)) {
      return Math.abs(value) < 10000 ? Math.round(value) + ' ms' : (value / 1000).toFixed(1) + ' s';
    }
    return typeof value === 'number' && value % 1 ? value.toFixed(1) : String(value);
  }

  function times(width, height) { return width && height ? width + ' × ' + height : null; }

  function rows() {
    var viewer = stats(), all = {}, key, status = mantel.status, facts = mantel.facts;
    all.state = root.getAttribute('data-state') + ', ' + root.getAttribute('data-rung');
    all.reason = root.getAttribute('data-reason');
    all.slide = viewer.slide || facts && facts.number;
    all.photo = facts && facts.number === all.slide ? facts.name : null;
    for (key in viewer) {
      if (!/Width$|Height$|^rung$|ytes|^slide$|^next/.test(key)) { all[key] = viewer[key]; }
    }
    all.source = times(viewer.sourceWidth, viewer.sourceHeight);
    all.canvas = times(viewer.canvasWidth, viewer.canvasHeight);
    if (viewer.nBytes) {
      all.received = figure('Bytes', viewer.nBytes) + ', ' + (viewer.bytesPerSecond / 1000).toFixed(0) + ' KB/s';
    }
    all.memoryBytes = memory() + (viewer.wasmBytes || 0) || null;
    if (status) { all.clockOffsetMillis = all.clockOffsetMillis || mantel.offset; }
    all.keptOnBy = mantel.awake;
    all.name = mantel.get('name');
    all.server = status && status.version;
    all.engine = mantel.engine;
    return all;
  }

  function write() {
    clearTimeout(timer);
    table.hidden = !mantel.isOn('stats');
    root.classList[table.hidden ? 'remove' : 'add']('panel');
    if (table.hidden) { return; }
    var all = rows();
    for (var key in all) {
      if (all[key] === null || all[key] === undefined || all[key] === '') {
        if (!cells[key]) { continue; }
        all[key] = '–';
      }
      if (!cells[key]) {
        var line = mantel.make('tr', table);
        mantel.make('th', line, '', label(key)).setAttribute('scope', 'row');
        cells[key] = mantel.make('td', line);
      }
      var words = figure(key, all[key]);
      if (cells[key].textContent !== words) { cells[key].textContent = words; }
    }
    timer = setTimeout(write, 1000);
  }

  mantel.needsFacts.push(function () { return mantel.isOn('stats'); });
  mantel.on('mantel-settings', write);
  write();
}());
