// Builds a screen's link, shows it live and as a QR code, and keeps it under a name. ES5: it is
// opened on whatever is at hand.
(function () {
  'use strict';

  // The words of the page's language; what they don't have is in English, and # is filled in.
  function t(text, fill) {
    return String(window.mantelWords && mantelWords[text] || text).replace('#', function () { return fill; });
  }

  // In their own words, for whoever looks for theirs.
  var LANGUAGES = [['', t('The screen’s own')], ['ar', 'العربية'], ['cs', 'Čeština'], ['da', 'Dansk'], ['de', 'Deutsch'],
    ['en', 'English'], ['es', 'Español'], ['fa', 'فارسی'], ['fi', 'Suomi'], ['fr', 'Français'], ['it', 'Italiano'],
    ['ja', '日本語'], ['ko', '한국어'], ['nb', 'Norsk'], ['nl', 'Nederlands'], ['pl', 'Polski'], ['pt', 'Português'],
    ['sv', 'Svenska'], ['tr', 'Türkçe'], ['uk', 'Українська'], ['zh', '中文']];
  // Each field: its key in the link, its label, and its values, or what a free one looks like. What hardly anybody sets
  // is folded.
  var GROUPS = [
    [t('Photos'), [
      ['album', t('Album'), 'Holidays/*'], ['keyword', t('Keyword'), 'family'],
      ['rating', t('At least stars'), [['', t('Any')], ['1', '1'], ['2', '2'], ['3', '3'], ['4', '4'], ['5', '5']]],
      ['from', t('Taken from'), '2019-06'], ['to', t('Taken until'), '2024'],
      ['on-this-day', t('On this day'), [['', t('Any day')], ['all', t('In all years')], ['5', t('In the last 5 years')], ['10', t('In the last 10 years')]]],
      ['favourites', t('Favourites'), [['', t('Among others')], ['on', t('Alone')]]]
    ]],
    [t('Look'), [
      ['fit', t('Fit'), [['', t('Standard')], ['blur', t('Blurred edges')], ['contain', t('Whole')], ['cover', t('Fill')]]],
      ['pair', t('Two at once'), [['', t('Standard')], ['on', t('On')], ['own', t('As this screen has room')], ['off', t('Off')]]], ['motion', t('Slow move'), [['', t('Off')], ['kenburns', t('On')]]],
      ['transition', t('Transition'), [['', t('Standard')], ['cut', t('Cut')], ['500ms', t('Half a second')], ['1s', t('1 second')], ['3s', t('3 seconds')]]]
    ]],
    [t('Over the picture'), [
      ['clock', t('Clock'), [['', t('Off')], ['on', t('On')], ['24', t('24 hours')], ['12', t('12 hours')]]],
      ['date', t('Date'), [['', t('Off')], ['on', t('On')]]],
      ['caption', t('Caption'), [['', t('Standard')], ['off', t('Off')], ['text', t('Text')], ['date', t('Date')], ['date,place', t('Date, place')],
        ['date,place,album', t('Date, place, album')], ['all', t('All')]]],
      ['ago', t('Years ago today'), [['', t('Off')], ['on', t('On')]]],
      ['lang', t('Language'), LANGUAGES]
    ]],
    [t('For experts'), [
      ['orientation', t('Orientation'), [['', t('Any')], ['landscape', t('Landscape')], ['portrait', t('Portrait')], ['square', t('Square')]]],
      ['newest', t('Only the newest'), '500'],
      ['awake', t('Keep the screen on'), [['', t('On')], ['off', t('Off')]]],
      ['offline', t('Keep pictures for when the server is away'), [['', t('On')], ['off', t('Off')]]],
      ['progress', t('Show indexing'), [['', t('On')], ['off', t('Off')]]],
      ['quality', t('JPEG quality'), '85'], ['size', t('Size'), '1920x1080'], ['fps', t('Frames a second'), '20'],
      ['offset', t('Shift in milliseconds'), '0'], ['wall', t('Part of a wall'), '2x1:0'],
      ['stats', t('Statistics'), [['', t('Off')], ['1', t('On')]]]
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
  function trouble(text) { say(text.trim() || t('No answer from the server'), true); }

  function row(profile) {
    var line = make('li', by('names'));
    make('a', line, 'tv/' + profile.name).href = 'tv/' + profile.name;
    var edit = make('button', line, t('Change')), drop = make('button', line, t('Delete'));
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
        if (ok) { say(t('# is deleted', profile.name)); } else { trouble(text); }
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
      if (!answer.profiles.length) { make('li', by('names'), t('None yet')); }
      if (house !== answer.address) { house = answer.address; update(); }
    });
  }

  by('name').oninput = later;
  by('form').onsubmit = function () { return false; };
  by('keep').onclick = function () {
    if (!name()) { say(t('Give the screen a name first'), true); by('name').focus(); return; }
    by('name').value = name();
    request('POST', 'profiles', { name: name(), query: query() }, function (ok, text) {
      var answer = null;
      try { answer = ok && JSON.parse(text); } catch (e) { answer = null; }
      if (!answer) { return trouble(text); }
      say(answer['new'] ? t('# is saved.', name()) + ' ' + t('Open # on the screen', base() + 'tv/' + name()) : t('# has changed', name()));
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
    by('copied').textContent = done ? t('Copied') : t('Copy it by hand: it is selected');
  };
  by('stay').onclick = function () {
    var wanted = Math.round(+by('seconds').value) || 0;
    request('POST', 'control', { command: 'interval', seconds: wanted }, function (ok, text) {
      by('stays').textContent = ok ? t('Each photo stays # now', seconds(wanted * 1000)) : text.trim() || t('No answer from the server');
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
      option.label = photos(one[1]);
    });
    fields[key].setAttribute('list', offers.id);
    if (rows.length) { fields[key].placeholder = t('All, or one of #', rows.length); }
  }

  // What a choice of nothing means.
  function standard(key, words) {
    var first = fields[key].options[0];
    if (first && !first.value && words) { first.textContent = t('Standard: #', words); }
  }

  function worded(key, value) {
    var found = [].filter.call(fields[key].options, function (option) { return option.value === value; })[0];
    return found ? found.textContent : value;
  }

  function seconds(millis) { return t('# s', (millis / 1000).toLocaleString()); }

  function photos(n) { return n === 1 ? t('1 photo') : t('# photos', n.toLocaleString()); }

  request('GET', 'library/lists', null, function (ok, text) {
    var lists = null;
    try { lists = ok && JSON.parse(text); } catch (e) { lists = null; }
    if (!lists) { return; }
    offer('album', lists.albums);
    offer('keyword', lists.keywords);
    standard('fit', worded('fit', lists.fit));
    standard('pair', lists.pair && worded('pair', lists.pair));
    standard('transition', lists.transition_millis ? seconds(lists.transition_millis) : t('Cut'));
    standard('caption', worded('caption', lists.captions));
    by('holds').textContent = photos(lists.photos);
    by('seconds').value = lists.interval_millis / 1000;
  });

  read(location.search);
  update();
  list();
}());
