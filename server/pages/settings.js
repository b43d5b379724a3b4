// Builds a screen's link, shows it live and as a QR code, and keeps it under a name. ES5: it is
// opened on whatever is at hand.
(function () {
  'use strict';

  var ON = [['', 'Standard'], ['on', 'On'], ['off', 'Off']];
  // In their own words, for whoever looks for theirs.
  var LANGUAGES = [['', 'The screen’s own'], ['ar', 'العربية'], ['cs', 'Čeština'], ['da', 'Dansk'], ['de', 'Deutsch'],
    ['en', 'English'], ['es', 'Español'], ['fa', 'فارسی'], ['fi', 'Suomi'], ['fr', 'Français'], ['it', 'Italiano'],
    ['ja', '日本語'], ['ko', '한국어'], ['nb', 'Norsk'], ['nl', 'Nederlands'], ['pl', 'Polski'], ['pt', 'Português'],
    ['sv', 'Svenska'], ['tr', 'Türkçe'], ['uk', 'Українська'], ['zh', '中文']];
  // Each field: its key in the link, its label, and its values, or what a free one looks like. What hardly anybody sets
  // is folded.
  var GROUPS = [
    ['Photos', [
      ['album', 'Album', 'Holidays/*'], ['keyword', 'Keyword', 'family'],
      ['rating', 'At least stars', [['', 'Any'], ['1', '1'], ['2', '2'], ['3', '3'], ['4', '4'], ['5', '5']]],
      ['from', 'Taken from', '2019-06'], ['to', 'Taken until', '2024'],
      ['on-this-day', 'On this day', [['', 'Any day'], ['all', 'In all years'], ['5', 'In the last 5 years'], ['10', 'In the last 10 years']]],
      ['favourites', 'Favourites', [['', 'Among others'], ['on', 'Alone']]]
    ]],
    ['Look', [
      ['fit', 'Fit', [['', 'Standard'], ['blur', 'Blurred edges'], ['contain', 'Whole'], ['cover', 'Fill']]],
      ['pair', 'Two at once', [['', 'Standard'], ['on', 'On'], ['own', 'As this screen has room'], ['off', 'Off']]], ['motion', 'Slow move', [['', 'Off'], ['kenburns', 'On']]],
      ['transition', 'Transition', [['', 'Standard'], ['cut', 'Cut'], ['500ms', 'Half a second'], ['1s', '1 second'], ['3s', '3 seconds']]]
    ]],
    ['Over the picture', [
      ['clock', 'Clock', [['', 'Off'], ['on', 'On'], ['24', '24 hours'], ['12', '12 hours']]],
      ['date', 'Date', [['', 'Off'], ['on', 'On']]],
      ['caption', 'Caption', [['', 'Standard'], ['off', 'Off'], ['text', 'Text'], ['date', 'Date'], ['date,place', 'Date, place'],
        ['date,place,album', 'Date, place, album'], ['all', 'All']]],
      ['ago', 'Years ago today', [['', 'Off'], ['on', 'On']]],
      ['lang', 'Language', LANGUAGES]
    ]],
    ['For experts', [
      ['orientation', 'Orientation', [['', 'Any'], ['landscape', 'Landscape'], ['portrait', 'Portrait'], ['square', 'Square']]],
      ['newest', 'Only the newest', '500'],
      ['awake', 'Keep the screen on', [['', 'On'], ['off', 'Off']]],
      ['offline', 'Keep pictures for when the server is away', [['', 'On'], ['off', 'Off']]],
      ['progress', 'Show indexing', [['', 'On'], ['off', 'Off']]],
      ['quality', 'JPEG quality', '85'], ['size', 'Size', '1920x1080'], ['fps', 'Frames a second', '20'],
      ['offset', 'Shift in milliseconds', '0'], ['wall', 'Part of a wall', '2x1:0'],
      ['stats', 'Statistics', [['', 'Off'], ['1', 'On']]]
    ], true]
  ];

  function by(id) { return document.getElementById(id); }

  function make(tag, parent, text) {
    var element = document.createElement(tag);
    if (text) { element.textContent = text; }
    parent.appendChild(element);
    return element;
  }

  function decoded(text) {
    try { return decodeURIComponent(text.replace(/\+/g, ' ')); } catch (e) { return text; }
  }

  var fields = {}, others = [], house = null, soon;

  // ---- the form

  function field(parent, key, label, values) {
    var line = make('div', parent), input;
    line.className = 'field';
    make('label', line, label).htmlFor = 'field-' + key;
    if (typeof values === 'string') {
      input = make('input', line);
      input.placeholder = values;
      input.autocomplete = 'off';
    } else {
      input = make('select', line);
      values.forEach(function (value) { make('option', input, value[1]).value = value[0]; });
    }
    input.id = 'field-' + key;
    input.onchange = input.oninput = later;
    fields[key] = input;
  }

  GROUPS.forEach(function (group) {
    var set = make(group[2] ? 'details' : 'fieldset', by('form'));
    make(group[2] ? 'summary' : 'legend', set, group[0]);
    group[1].forEach(function (one) { field(set, one[0], one[1], one[2]); });
  });

  // Values that the form doesn't offer are kept as they are.
  function read(search) {
    others = [];
    Object.keys(fields).forEach(function (key) { fields[key].value = ''; });
    search.replace(/^\?/, '').split('&').forEach(function (pair) {
      var key = pair.split('=')[0], value = decoded(pair.slice(key.length + 1));
      if (key === 'name') { by('name').value = value; return; }
      // A key that needs no value.
      if (key === 'on-this-day' && !value) { value = 'all'; }
      if (!fields[key]) { if (pair) { others.push(pair); } return; }
      var fold = fields[key].parentNode.parentNode;
      if (fold.tagName === 'DETAILS') { fold.setAttribute('open', ''); }
      fields[key].value = value;
      if (fields[key].value !== value) { make('option', fields[key], value).value = value; fields[key].value = value; }
    });
  }

  function query() {
    var pairs = Object.keys(fields).filter(function (key) { return fields[key].value.trim(); }).map(function (key) {
      if (key === 'on-this-day' && fields[key].value === 'all') { return key; }
      return key + '=' + encodeURIComponent(fields[key].value.trim()).replace(/%2C/g, ',').replace(/%2F/g, '/').replace(/'/g, '%27');
    });
    return pairs.concat(others).join('&');
  }

  // “Living Room” is living-room: names stand in addresses.
  function name() {
    var text = by('name').value.toLowerCase();
    if (text.normalize) { text = text.normalize('NFD').replace(/[\u0300-\u036f]/g, ''); }
    return text.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40);
  }

  function base() { return house || location.href.split(/[?#]/)[0].replace(/[^\/]*$/, ''); }

  function update() {
    var asked = query(), all = asked + (name() ? (asked ? '&' : '') + 'name=' + encodeURIComponent(name()) : '');
    var link = base() + (all ? '?' + all : '');
    by('link').href = './' + (all ? '?' + all : '');
    by('link').textContent = link;
    by('qr').className = '';
    by('qr').src = 'qr?text=' + encodeURIComponent(link);
    // The preview plays along, so nothing that it would do to the screen counts.
    var preview = './?' + asked + (asked ? '&' : '') + 'awake=off';
    if (by('preview').getAttribute('src') !== preview) { by('preview').src = preview; }
    if (window.history && history.replaceState) { history.replaceState(null, '', all ? '?' + all : location.pathname); }
  }

  function later() {
    clearTimeout(soon);
    soon = setTimeout(update, 500);
  }

  // ---- names

  function request(method, path, body, done) {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      done(call.status >= 200 && call.status < 300, call.responseText);
    };
    call.open(method, path, true);
    if (body) { call.setRequestHeader('Content-Type', 'application/json'); }
    call.send(body ? JSON.stringify(body) : null);
  }

  function say(text, isBad) {
    by('said').textContent = text;
    by('said').className = isBad ? 'bad' : '';
  }

  // The server answers with a sentence of its own.
  function trouble(text) { say(text.trim() || 'The server does not answer', true); }

  function row(profile) {
    var line = make('li', by('names'));
    make('a', line, 'tv/' + profile.name).href = 'tv/' + profile.name;
    var edit = make('button', line, 'Change'), drop = make('button', line, 'Delete');
    edit.type = drop.type = 'button';
    edit.onclick = function () {
      read(profile.query);
      by('name').value = profile.name;
      say('');
      update();
      window.scrollTo(0, 0);
    };
    drop.onclick = function () {
      request('DELETE', 'profiles/' + profile.name, null, function (ok, text) {
        if (ok) { say(profile.name + ' is deleted'); } else { trouble(text); }
        list();
      });
    };
  }

  function list() {
    request('GET', 'profiles', null, function (ok, text) {
      var answer = null;
      try { answer = ok && JSON.parse(text); } catch (e) { answer = null; }
      if (!answer) { return trouble(text); }
      by('names').innerHTML = by('known').innerHTML = '';
      answer.profiles.forEach(row);
      answer.profiles.forEach(function (profile) { make('option', by('known')).value = profile.name; });
      if (!answer.profiles.length) { make('li', by('names'), 'None yet'); }
      if (house !== answer.address) { house = answer.address; update(); }
    });
  }

  by('name').oninput = later;
  by('form').onsubmit = function () { return false; };
  by('keep').onclick = function () {
    if (!name()) { say('Give the screen a name first', true); by('name').focus(); return; }
    by('name').value = name();
    request('POST', 'profiles', { name: name(), query: query() }, function (ok, text) {
      var answer = null;
      try { answer = ok && JSON.parse(text); } catch (e) { answer = null; }
      if (!answer) { return trouble(text); }
      say(answer['new'] ? name() + ' is saved: open ' + base() + 'tv/' + name() + ' on the screen' : name() + ' has changed');
      by('qr').src = 'qr?text=' + encodeURIComponent(base() + 'tv/' + name());
      list();
    });
  };
  by('copy').onclick = function () {
    var range = document.createRange(), selection = getSelection(), done = false;
    range.selectNodeContents(by('link'));
    selection.removeAllRanges();
    selection.addRange(range);
    try { done = document.execCommand('copy'); } catch (e) { done = false; }
    by('copied').textContent = done ? 'Copied' : 'Copy it by hand: it is selected';
  };
  by('stay').onclick = function () {
    var wanted = Math.round(+by('seconds').value) || 0;
    request('POST', 'control', { command: 'interval', seconds: wanted }, function (ok, text) {
      by('stays').textContent = ok ? 'Each stays ' + seconds(wanted * 1000) + ' now' : text.trim() || 'The server does not answer';
      by('stays').className = ok ? '' : 'bad';
    });
  };
  by('qr').onerror = function () { by('qr').className = 'none'; };

  // ---- what there is to choose from

  function offer(key, rows) {
    var offers = make('datalist', by('form'));
    offers.id = 'offers-' + key;
    rows.forEach(function (one) {
      var option = make('option', offers);
      option.value = one[0];
      option.label = one[1] + (one[1] === 1 ? ' photo' : ' photos');
    });
    fields[key].setAttribute('list', offers.id);
    if (rows.length) { fields[key].placeholder = 'All, or one of ' + rows.length; }
  }

  // What a choice of nothing means.
  function standard(key, words) {
    var first = fields[key].options[0];
    if (first && !first.value && words) { first.textContent = 'Standard: ' + words.toLowerCase(); }
  }

  function worded(key, value) {
    var found = [].filter.call(fields[key].options, function (option) { return option.value === value; })[0];
    return found ? found.textContent : value;
  }

  function seconds(millis) { return millis / 1000 + (millis === 1000 ? ' second' : ' seconds'); }

  request('GET', 'library/lists', null, function (ok, text) {
    var lists = null;
    try { lists = ok && JSON.parse(text); } catch (e) { lists = null; }
    if (!lists) { return; }
    offer('album', lists.albums);
    offer('keyword', lists.keywords);
    standard('fit', worded('fit', lists.fit));
    standard('pair', lists.pair);
    standard('transition', lists.transition_millis ? seconds(lists.transition_millis) : 'cut');
    standard('caption', worded('caption', lists.captions));
    by('holds').textContent = lists.photos.toLocaleString() + (lists.photos === 1 ? ' photo' : ' photos');
    by('seconds').value = lists.interval_millis / 1000;
  });

  read(location.search);
  update();
  list();
}());
