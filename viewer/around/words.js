// Words over the picture: clock, date, what is known of each photo, how many years ago, and what the page
// has to say of itself (paused, indexing, no photos); each on or off, in the language of the screen. They
// drift a little, so that nothing burns in.
//
// Two photos that share the screen have a block of words each, under its own, as the server draws them. On the
// lower rungs the server has drawn those into the picture; the rest is written here.
(function () {
  'use strict';

  var mantel = window.mantel, root = mantel.root, t = mantel.t, language = mantel.language;
  var DRIFT_MS = 8000;
  // Two periods without a common measure: the way covers the whole field.
  var ROUND_X_MS = 13 * 60000, ROUND_Y_MS = 17 * 60000;

  var ORDER = ['date', 'place', 'album', 'text'];
  // The first letter that has a direction goes from right to left.
  var FROM_RIGHT = /^[^A-Za-z\u00c0-\u02b8\u0370-\u058f\u0900-\u1fff\u2c00-\ufb1c]*[\u0591-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

  var box = mantel.make('div', document.body);
  box.id = 'words';

  // A place for words: its shade stays at the screen's edge while its lines drift.
  function place(parent, name) {
    var all = mantel.make('div', parent, name);
    return { all: all, lines: mantel.make('div', all, 'lines') };
  }

  function line(at, name) {
    var element = mantel.make('p', at.lines, name);
    element.dir = 'auto';
    return element;
  }

  var halves = ['first', 'second'].map(function (name) {
    var told = place(mantel.make('div', box, 'half ' + name), 'told');
    return { told: told, text: line(told, 'text'), details: line(told, 'details'), ago: line(told, 'ago') };
  });
  var note = place(box, 'corner note'), face = place(box, 'corner face');
  var pause = line(note, 'pause'), empty = line(note, 'empty'), ago = line(note, 'ago'), progress = line(note, 'progress');
  var time = line(face, 'time'), day = line(face, 'day');
  var places = [note, face, halves[0].told, halves[1].told];
  face.fromRight = true;
  progress.id = 'indexing';
  progress.setAttribute('role', 'status');
  // What the viewer said of the slide that is on.
  var slide = null;

  // Engines without Intl write it their own way, and some refuse their own name of a language.
  function inWords(date, shape, otherwise) {
    var names = [language(), language().slice(0, 2), 'en'];
    for (var i = 0; i < names.length; i++) {
      try { return new Intl.DateTimeFormat(names[i], shape).format(date); } catch (e) { /* the next */ }
    }
    return otherwise;
  }

  function clock(now) {
    var shape = { hour: 'numeric', minute: '2-digit' }, wish = mantel.get('clock');
    if (wish === '12' || wish === '24') { shape.hour12 = wish === '12'; }
    return inWords(now, shape, now.toTimeString().slice(0, 5));
  }

  // What stands before and behind the figures ("AM", "上午") is small.
  function putClock(words) {
    var parts = /^(\D*)(\d.*\d)(\D*)$/.exec(words) || ['', '', words, ''];
    if (words && time.textContent !== parts.slice(1).join('')) {
      time.textContent = '';
      ['small', 'span', 'small'].forEach(function (tag, i) { if (parts[i + 1]) { mantel.make(tag, time, '', parts[i + 1]); } });
    }
    time.classList[words ? 'add' : 'remove']('on');
  }

  // A photo's date is that of its camera's clock, in no time zone.
  function dayOf(taken) {
    var part = taken.split(/\D/), date = new Date(Date.UTC(part[0], part[1] - 1, part[2]));
    return inWords(date, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' },
      date.toUTCString().slice(0, 16));
  }

  function yearsAgo(taken) {
    var now = mantel.now(), part = taken.split(/\D/), n = now.getFullYear() - part[0];
    if (n < 1 || now.getMonth() !== part[1] - 1 || now.getDate() !== Number(part[2])) { return ''; }
    return n > 1 ? t('# years ago today', n) : t('1 year ago today');
  }

  // Which parts of a caption are wanted: the address says, else the server's own setting.
  mantel.captions = function () {
    var wish = mantel.get('caption', mantel.status ? mantel.status.channel.captions : 'off');
    return ORDER.filter(function (part) { return wish === 'all' || wish.split(',').indexOf(part) >= 0; });
  };

  function grouped(n) {
    try { return n.toLocaleString(language()); } catch (e) { return n; }
  }

  // Of one line; where a part runs from right to left, none changes the order of the others.
  function joined(words) {
    var all = words.filter(Boolean), mark = all.some(function (word) { return /[\u0591-\u08ff]/.test(word); });
    return all.map(function (word) { return mark ? '\u2068' + word + '\u2069' : word; }).join('  ·  ');
  }

  function put(element, words) {
    // An element that goes keeps its words while it fades.
    if (words && element.textContent !== words) { element.textContent = words; }
    element.classList[words ? 'add' : 'remove']('on');
  }

  function parts(photo) {
    return { date: photo.taken_at && dayOf(photo.taken_at), place: photo.place, album: photo.album, text: photo.caption };
  }

  function fill(half, photo, isWanted) {
    var known = parts(photo);
    function wanted(part) { return isWanted(part) && known[part] || ''; }
    put(half.text, wanted('text'));
    put(half.details, joined(ORDER.slice(0, 3).map(wanted)));
    put(half.ago, isWanted('ago') && photo.taken_at ? yearsAgo(photo.taken_at) : '');
    half.told.fromRight = FROM_RIGHT.test(half.told.lines.textContent);
    half.told.all.classList[half.told.fromRight ? 'add' : 'remove']('rtl');
    // Of two, at its own photo, which may lie far from the edges of its half.
    var style = half.told.all.style, n = box.className === 'beside' ? 2 : 1, start = half === halves[n - 1] ? 100 * n - 100 : 0;
    style.left = photo.words_to ? photo.words_from * n - start + '%' : '';
    style.right = photo.words_to ? 100 + start - photo.words_to * n + '%' : '';
  }

  // Why it is not photos that are shown, with a way to what could not be.
  function putEmpty(status) {
    var folders = status && status.channel.nothing_in, words = '';
    if (folders) {
      words = status.library.photos ? t('No photo fits what the server was told to show') :
        folders.length ? t('No photos in # yet', folders.join(', ')) : t('No folder of photos was given');
    }
    if (words && empty.firstChild && empty.firstChild.textContent === words) { return; }
    if (words) {
      empty.textContent = '';
      var link = mantel.make('a', empty, '', words);
      link.href = 'library/skipped';
      link.target = '_blank';
    }
    empty.classList[words ? 'add' : 'remove']('on');
  }

  function write() {
    var now = mantel.now(), wanted = mantel.captions();
    // Pictures that were kept have brought their own.
    // Over what interrupts photos nothing is written about them.
    var status = mantel.status, library = status && status.library;
    var facts = mantel.kept || !(status && status.channel.interrupted) && mantel.facts || {};
    var here = root.getAttribute('data-rung') === 'wasm', hasAgo = mantel.isOn('ago');
    function isWanted(part) { return here && (part === 'ago' ? hasAgo : wanted.indexOf(part) >= 0); }

    // The server puts them one above the other where the screen is upright.
    box.className = !facts.beside ? '' : innerWidth >= innerHeight ? 'beside' : 'above';
    halves.forEach(function (half, i) { fill(half, (i ? facts.beside : facts) || {}, isWanted); });
    putClock(mantel.isOn('clock') ? clock(now) : '');
    put(day, mantel.isOn('date') ?
      inWords(now, { weekday: 'long', day: 'numeric', month: 'long' }, now.toDateString()) : '');
    var by = status && status.channel.paused_by;
    put(pause, !mantel.paused() ? '' : mantel.held ? t('Paused on this screen') :
      typeof by === 'string' && by ? t('Paused by #', by) : t('Paused'));
    putEmpty(status);
    put(ago, !here && hasAgo && facts.taken_at ? yearsAgo(facts.taken_at) : '');
    put(progress, library && library.scanning && mantel.isOn('progress', 'on') ?
      t('indexing #', grouped(library.scanned) + (library.to_scan ? ' / ' + grouped(library.to_scan) : '')) : '');
    places.forEach(function (place) {
      place.all.classList[place.all.querySelector('.on') ? 'add' : 'remove']('on');
    });

    drift();

    // For those who hear the page: what the picture is, without the words of its corners.
    var label = here && slide && slide.slide !== facts.number ? labelOf(slide) :
      [facts, facts.beside].filter(Boolean).map(function (photo) {
        var known = parts(photo);
        return [known.text, known.date, known.place, known.album].filter(Boolean).join(', ');
      }).filter(Boolean).join('; ');
    label = label || t('A photo');
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
    places.forEach(function (place, i) {
      var style = place.lines.style;
      style.webkitTransform = style.transform = 'translate(' + (place.fromRight ? -x : x) + 'px,' + (i < 2 ? y : -y) + 'px)';
    });
  }

  // Looked at often, because devices sleep and clocks are set; written only when a word changes.
  function tick() {
    write();
    setTimeout(tick, Math.min(5000, 60050 - mantel.now().getTime() % 60000));
  }

  box.lang = language();
  mantel.by('screen').setAttribute('role', 'img');
  mantel.on('mantel-facts mantel-status mantel-settings mantel-state mantel-kept mantel-words', write);
  mantel.on('mantel-slide', function (event) { slide = event.detail; write(); });
  mantel.needsFacts.push(function () { return mantel.captions().length > 0 || mantel.isOn('ago'); });
  mantel.on('resize', write);
  tick();
  setInterval(drift, DRIFT_MS);
  mantel.drift = drift;
}());
