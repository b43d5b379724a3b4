// The statistics panel: figures of the viewer where it runs, of the page in any case.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var table = mantel.by('stats'), cells = {}, timer;

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

  // Names tell units: decodeMillis is a time, memoryBytes a size, nSlides a count.
  function label(key) {
    return key.replace(/^n([A-Z])/, '$1').replace(/(Millis|Bytes)$/, '')
      .replace(/([A-Z])/g, ' $1').toLowerCase().trim();
  }

  function figure(key, value) {
    if (value === null || value === undefined || value === '') { return '–'; }
    if (/Bytes$/.test(key)) { return (value / 1e6).toFixed(1) + ' MB'; }
    if (/Millis$/.test(key)) {
      return Math.abs(value) < 10000 ? Math.round(value) + ' ms' : (value / 1000).toFixed(1) + ' s';
    }
    return typeof value === 'number' && value % 1 ? value.toFixed(1) : String(value);
  }

  function rows() {
    var all = mantel.stats(), channel = mantel.status && mantel.status.channel, own = {
      state: root.getAttribute('data-state'),
      reason: root.getAttribute('data-reason'),
      slide: mantel.facts && mantel.facts.number,
      photo: mantel.facts && mantel.facts.name,
      nSlides: mantel.slides,
      window: innerWidth + ' × ' + innerHeight + ' at ' + (window.devicePixelRatio || 1),
      memoryBytes: mantel.memory() || null,
      clockOffsetMillis: mantel.status ? mantel.offset : null,
      screenKeptOnBy: mantel.awake,
      name: mantel.get('name'),
      photos: channel && channel.photos,
      server: mantel.status && mantel.status.version,
      engine: mantel.engine
    };
    for (var key in own) {
      if (!(key in all) && own[key] !== null) { all[key] = own[key]; }
    }
    return all;
  }

  function write() {
    clearTimeout(timer);
    table.hidden = !mantel.isOn('stats');
    if (table.hidden) { return; }
    var all = rows();
    for (var key in all) {
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

  mantel.panel = function (shown) { mantel.set('stats', shown ? '1' : ''); };

  mantel.on('mantel-settings', write);
  write();
}());
