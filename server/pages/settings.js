// Builds a screen's link, shows it live and as a QR code, and keeps it under a name. ES5: it is
// opened on whatever is at hand.
(function () {
  'use strict';

  var ON = [['', 'Standard'], ['on', 'On'], ['off', 'Off']];
  // Each field: its key in the link, its label, and its values, or what a free one looks like.
  var GROUPS = [
    ['Pictures', [
      ['album', 'Album', 'Holidays/*'], ['from', 'Taken from', '2019-06'], ['to', 'Taken until', '2024'],
      ['rating', 'At least stars', [['', 'Any'], ['1', '1'], ['2', '2'], ['3', '3'], ['4', '4'], ['5', '5']]],
      ['keyword', 'Keyword', 'family'],
      ['orientation', 'Orientation', [['', 'Any'], ['landscape', 'Landscape'], ['portrait', 'Portrait'], ['square', 'Square']]],
      ['on-this-day', 'On this day', [['', 'Any day'], ['all', 'In all years'], ['5', 'In the last 5 years'], ['10', 'In the last 10 years']]],
      ['newest', 'Newest', '500']
    ]],
    ['Look', [
      ['fit', 'Fit', [['', 'Standard'], ['blur', 'Blurred edges'], ['contain', 'Whole'], ['cover', 'Fill']]],
      ['pair', 'Two at once', ON], ['motion', 'Slow move', [['', 'Off'], ['kenburns', 'On']]],
      ['transition', 'Transition', [['', 'Standard'], ['cut', 'Cut'], ['500ms', 'Half a second'], ['1s', '1 second'], ['3s', '3 seconds']]],
      ['quality', 'JPEG quality', '85'], ['size', 'Size', '1920x1080'], ['fps', 'Frames a second', '20']
    ]],
    ['Over the picture', [
      ['clock', 'Clock', [['', 'Off'], ['on', 'On'], ['24', '24 hours'], ['12', '12 hours']]],
      ['date', 'Date', [['', 'Off'], ['on', 'On']]],
      ['caption', 'Caption', [['', 'Standard'], ['off', 'Off'], ['text', 'Text'], ['date', 'Date'], ['date,place', 'Date, place'],
        ['date,place,album', 'Date, place, album'], ['all', 'All']]],
      ['ago', 'Years ago today', [['', 'Off'], ['on', 'On']]],
      ['progress', 'Indexing', [['', 'On'], ['off', 'Off']]],
      ['lang', 'Language', 'de']
    ]],
    ['Screen', [
      ['awake', 'Keep it on', [['', 'On'], ['off', 'Off']]],
      ['offline', 'Keep pictures for when the server is away', [['', 'On'], ['off', 'Off']]],
      ['offset', 'Shift in milliseconds', '0'], ['wall', 'Part of a wall', '2x1:0'],
      ['stats', 'Statistics', [['', 'Off'], ['1', 'On']]]
    ]]
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
    var set = make('fieldset', by('form'));
    make('legend', set, group[0]);
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

  function name() { return by('name').value.trim(); }

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

  var silence;

  function say(text) {
    by('said').textContent = text;
    clearTimeout(silence);
    silence = setTimeout(function () { by('said').textContent = ''; }, 6000);
  }

  function row(profile) {
    var line = make('li', by('names'));
    make('a', line, 'tv/' + profile.name).href = 'tv/' + profile.name;
    var edit = make('button', line, 'Change'), drop = make('button', line, 'Delete');
    edit.type = drop.type = 'button';
    edit.onclick = function () { read(profile.query); by('name').value = profile.name; update(); };
    drop.onclick = function () {
      request('DELETE', 'profiles/' + profile.name, null, function (ok, text) {
        say(ok ? profile.name + ' is deleted' : text || 'No answer from the server');
        list();
      });
    };
  }

  function list() {
    request('GET', 'profiles', null, function (ok, text) {
      var answer = null;
      try { answer = ok && JSON.parse(text); } catch (e) { answer = null; }
      if (!answer) { return say('No answer from the server'); }
      by('names').innerHTML = '';
      answer.profiles.forEach(row);
      if (house !== answer.address) { house = answer.address; update(); }
    });
  }

  by('name').oninput = later;
  by('keep').onclick = function () {
    request('POST', 'profiles', { name: name(), query: query() }, function (ok, text) {
      say(ok ? 'Open ' + base() + 'tv/' + name() + ' on the screen' : text || 'No answer from the server');
      if (ok) { by('qr').src = 'qr?text=' + encodeURIComponent(base() + 'tv/' + name()); list(); }
    });
  };
  by('copy').onclick = function () {
    var range = document.createRange(), selection = getSelection(), done = false;
    range.selectNodeContents(by('link'));
    selection.removeAllRanges();
    selection.addRange(range);
    try { done = document.execCommand('copy'); } catch (e) { done = false; }
    say(done ? 'Copied' : 'Copy it by hand: it is selected');
  };
  by('qr').onerror = function () { by('qr').className = 'none'; };

  read(location.search);
  update();
  list();
}());
