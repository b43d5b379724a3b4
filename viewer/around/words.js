// Words over the picture: clock, date, caption, place, album, how many years ago, indexing; each on
// or off, in the language of the screen. They drift a little, so that nothing burns in.
//
// On the lower rungs the server has drawn the captions into the picture; the rest is drawn here.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root;
  var DRIFT_MS = 8000;
  // Two periods without a common measure: the way covers the whole field.
  var ROUND_X_MS = 13 * 60000, ROUND_Y_MS = 17 * 60000;

  var AGO = {
    en: ['1 year ago today', '# years ago today'], de: ['heute vor einem Jahr', 'heute vor # Jahren'],
    fr: ['il y a un an aujourd’hui', 'il y a # ans aujourd’hui'], es: ['hoy hace un año', 'hoy hace # años'],
    it: ['un anno fa oggi', '# anni fa oggi'], nl: ['vandaag een jaar geleden', 'vandaag # jaar geleden'],
    pt: ['há um ano, hoje', 'há # anos, hoje'], sv: ['i dag för ett år sedan', 'i dag för # år sedan']
  };
  var ORDER = ['date', 'place', 'album', 'text'];

  var box = mantel.make('div', document.body);
  box.id = 'words';
  var face = mantel.make('div', box, 'corner face'), told = mantel.make('div', box, 'corner told');
  var time = mantel.make('p', face, 'time'), day = mantel.make('p', face, 'day');
  var text = mantel.make('p', told, 'text'), details = mantel.make('p', told, 'details');
  var ago = mantel.make('p', told, 'ago'), progress = mantel.make('p', told, 'progress');
  progress.id = 'indexing';
  progress.setAttribute('role', 'status');
  text.dir = details.dir = 'auto';
  // What the viewer said of the slide that is on.
  var slide = null;

  function language() {
    return mantel.get('lang') || navigator.language || 'en';
  }

  // Engines without Intl write it their own way, and some refuse their own name of a language.
  function inWords(date, shape, otherwise) {
    var names = [language(), language().slice(0, 2), 'en'];
    for (var i = 0; i < names.length; i++) {
      try { return new Intl.DateTimeFormat(names[i], shape).format(date); } catch (e) { /* the next */ }
    }
    return otherwise;
  }

  function two(n) { return (n < 10 ? '0' : '') + n; }

  function clock(now) {
    var shape = { hour: 'numeric', minute: '2-digit' }, wish = mantel.get('clock');
    if (wish === '12' || wish === '24') { shape.hour12 = wish === '12'; }
    return inWords(now, shape, now.getHours() + ':' + two(now.getMinutes()));
  }

  // A photo's date is that of its camera's clock, in no time zone.
  function dayOf(taken) {
    var part = taken.split(/\D/), date = new Date(Date.UTC(part[0], part[1] - 1, part[2]));
    return inWords(date, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' },
      new Date(part[0], part[1] - 1, part[2]).toDateString());
  }

  function yearsAgo(taken) {
    var now = mantel.now(), part = taken.split(/\D/), n = now.getFullYear() - part[0];
    if (n < 1 || now.getMonth() !== part[1] - 1 || now.getDate() !== Number(part[2])) { return ''; }
    var words = AGO[language().slice(0, 2).toLowerCase()] || AGO.en;
    return words[n > 1 ? 1 : 0].replace('#', n);
  }

  // Which parts of a caption are wanted: the address says, else the server's own setting.
  mantel.captions = function () {
    var wish = mantel.get('caption', mantel.status ? mantel.status.channel.captions : 'off');
    return ORDER.filter(function (part) { return wish === 'all' || wish.split(',').indexOf(part) >= 0; });
  };

  function grouped(n) { return String(n).replace(/(\d)(?=(\d{3})+$)/g, '$1,'); }

  // What both photos of a pair have in common is said once.
  function both(facts, key, write) {
    var said = [];
    [facts, facts.beside].forEach(function (photo) {
      var word = photo && photo[key] && (write ? write(photo[key]) : photo[key]);
      if (word && said.indexOf(word) < 0) { said.push(word); }
    });
    return said.join(' · ');
  }

  function put(element, words) {
    // An element that goes keeps its words while it fades.
    if (words && element.textContent !== words) { element.textContent = words; }
    element.classList[words ? 'add' : 'remove']('on');
  }

  function write() {
    var now = mantel.now(), facts = mantel.facts || {}, wanted = mantel.captions();
    var parts = { date: both(facts, 'taken_at', dayOf), place: both(facts, 'place'), album: both(facts, 'album'),
      text: both(facts, 'caption') };
    var line = ['date', 'place', 'album'].filter(function (part) { return parts[part]; });
    function isWanted(part) { return wanted.indexOf(part) >= 0; }
    function join(list) { return list.map(function (part) { return parts[part]; }).join('  ·  '); }

    put(time, mantel.isOn('clock') ? clock(now) : '');
    put(day, mantel.isOn('date') ?
      inWords(now, { weekday: 'long', day: 'numeric', month: 'long' }, now.toDateString()) : '');
    var here = root.getAttribute('data-rung') === 'wasm';
    put(text, here && isWanted('text') ? parts.text : '');
    put(details, here ? join(line.filter(isWanted)) : '');
    put(ago, mantel.isOn('ago') ? both(facts, 'taken_at', yearsAgo) : '');
    var library = mantel.status && mantel.status.library;
    put(progress, library && library.scanning && mantel.isOn('progress', 'on') ? 'indexing ' +
      grouped(library.scanned) + (library.to_scan ? ' of ' + grouped(library.to_scan) : '') : '');
    [face, told].forEach(function (corner) {
      corner.classList[corner.querySelector('.on') ? 'add' : 'remove']('on');
    });

    // For those who hear the page: what the picture is, without the words of its corners.
    var label = here && slide && slide.slide !== facts.number ? labelOf(slide) :
      [parts.text].concat(line.map(function (part) { return parts[part]; })).filter(Boolean).join(', ');
    label = label || 'A photo';
    mantel.by('screen').setAttribute('aria-label', label);
    var images = mantel.by('rung').querySelectorAll('img');
    if (images.length) { images[images.length - 1].alt = label; }
  }

  // What came with the picture. Its caption may be a file's name, which nobody wants to hear.
  function labelOf(slide) {
    var caption = / /.test(slide.caption || '') ? slide.caption : '';
    return [caption, slide.takenAt && dayOf(slide.takenAt), slide.place, slide.album].filter(Boolean).join(', ');
  }

  // Inward from the safe edge, by whole pixels so that letters stay sharp.
  function drift() {
    var now = new Date().getTime(), room = Math.min(innerWidth, innerHeight) * 0.05;
    function at(round) { return Math.round(room * (1 - Math.cos(2 * Math.PI * (now % round) / round)) / 2); }
    var x = at(ROUND_X_MS), y = at(ROUND_Y_MS);
    function move(corner, dx, dy) {
      corner.style.webkitTransform = corner.style.transform = 'translate(' + dx + 'px,' + dy + 'px)';
    }
    move(face, -x, y);
    move(told, x, -y);
  }

  // Looked at often, because devices sleep and clocks are set; written only when a word changes.
  function tick() {
    write();
    setTimeout(tick, Math.min(5000, 60050 - mantel.now().getTime() % 60000));
  }

  box.lang = language();
  mantel.by('screen').setAttribute('role', 'img');
  mantel.on('mantel-facts mantel-status mantel-settings', write);
  mantel.on('mantel-slide', function (event) { slide = event.detail; write(); });
  mantel.needsFacts.push(function () { return mantel.captions().length > 0 || mantel.isOn('ago'); });
  mantel.on('resize', drift);
  tick();
  drift();
  setInterval(drift, DRIFT_MS);
  mantel.drift = drift;
}());
