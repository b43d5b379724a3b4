// The remote: what is on, and the commands that a hand in the sofa gives. ES5, for whatever phone is at hand. It asks every two
// seconds while it is looked at, and at once after a command.
(function () {
  'use strict';

  var ASK_MS = 2000, SHAPE = 'size=640x360', HISTORY = 8, TRIES = 12;
  var search = location.search.replace(/^\?/, '');
  var timer, fetching, shown = null, listed = null, busy = false, sliding = false;

  function by(id) { return document.getElementById(id); }

  function make(tag, parent, text) {
    var element = document.createElement(tag);
    if (text) { element.textContent = text; }
    parent.appendChild(element);
    return element;
  }

  // The words of the page's language; what they don't have is in English, and # is filled in.
  function t(text, fill) {
    return String(window.mantelWords && mantelWords[text] || text).replace('#', function () { return fill; });
  }

  function where(path, more) {
    var query = [more, search].filter(Boolean).join('&');
    return path + (query ? '?' + query : '');
  }

  function request(method, path, body, done) {
    var call = new XMLHttpRequest();
    call.onreadystatechange = function () {
      if (call.readyState !== 4) { return; }
      var answer = null;
      try { answer = JSON.parse(call.responseText); } catch (e) { answer = null; }
      done(call.status >= 200 && call.status < 300, answer, (call.responseText || '').trim());
    };
    call.open(method, path, true);
    call.timeout = 10000;
    if (body) { call.setRequestHeader('Content-Type', 'application/json'); }
    call.send(body ? JSON.stringify(body) : null);
  }

  function complain(text) {
    by('problem').textContent = text && text.length < 400 && text.indexOf('<') < 0 ? text : text ? t('No answer from the server') : '';
  }

  function command(body) {
    request('POST', where('control'), body, function (ok, channel, text) {
      complain(ok ? '' : text || t('No answer from the server'));
      ask();
    });
  }

  // ---- what is on

  function time(millis) {
    return new Date(millis).toLocaleTimeString([], { hour: 'numeric', minute: '2-digit' });
  }

  // A camera's day, which is in no time zone.
  function day(taken) {
    var part = (taken || '').slice(0, 10).split('-');
    return part.length === 3 ? new Date(part[0], part[1] - 1, part[2]).toLocaleDateString() : '';
  }

  function told(photo) {
    return [photo.caption, photo.place, photo.album, day(photo.taken_at)].filter(Boolean).join(' · ') || photo.name || '';
  }

  function button(parent, label, body) {
    var element = make('button', parent, label);
    element.type = 'button';
    element.onclick = function () { command(body); };
    return element;
  }

  function photoRow(photo, isOne) {
    var row = make('div', by('photos'));
    row.className = 'row';
    if (!isOne) { make('span', row, told(photo)).className = 'small'; }
    button(row, photo.favourite ? t('No favourite') : t('Favourite'), { command: photo.favourite ? 'unfavourite' : 'favourite', photo: photo.photo });
    button(row, t('Not that one'), { command: 'hide', photo: photo.photo });
  }

  function state(channel) {
    var lines = [], night = channel.night;
    if (channel.interrupted) { lines.push(t('# has the screens', channel.interrupted.by)); }
    if (channel.paused) { lines.push(channel.paused_by ? t('Paused by #', channel.paused_by) : t('Paused')); }
    if (night) {
      var mode = { black: t('Black'), clock: t('Clock') }[night.mode] || night.mode;
      lines.push(mode ? t('Night: #', mode) : t('Awake'));
      if (night.until_millis) { lines.push(t('until #', time(night.until_millis))); }
    }
    if (channel.said) { lines.push('“' + channel.said + '”'); }
    return lines.join(' · ');
  }

  function show(status) {
    var channel = status.channel, slide = channel.slide, both = slide ? [slide].concat(slide.beside || []) : [];
    by('state').textContent = state(channel);
    by('pause').textContent = channel.paused ? t('Go on') : t('Pause');
    by('pause').setAttribute('data-command', channel.paused ? 'resume' : 'pause');
    by('dismiss').hidden = !channel.interrupted;
    if (!sliding) { by('light').value = channel.night ? Math.max(5, Math.round(channel.night.light)) : 100; }
    if (document.activeElement !== by('seconds')) { by('seconds').value = Math.round(channel.interval_millis / 1000) || ''; }
    // A picture of its own for each slide, and each message: it is fetched when it is another one.
    var mark = JSON.stringify([slide && slide.number, both.map(function (photo) { return photo.favourite; })]);
    if (mark === shown) { return; }
    shown = mark;
    picture(slide ? slide.number : 0, 0);
    by('words').textContent = both.map(told).join(' – ');
    by('photos').innerHTML = '';
    if (!channel.live) { both.forEach(function (photo) { photoRow(photo, both.length === 1); }); }
    history(slide && slide.number);
  }

  // The slide's own picture may have to be made first: then it is asked for again.
  function picture(number, tries) {
    clearTimeout(fetching);
    var call = new XMLHttpRequest();
    call.open('GET', where('snapshot', SHAPE + '&_=' + number), true);
    call.responseType = 'blob';
    call.timeout = 10000;
    call.onload = function () {
      if (call.status === 200) {
        var old = by('picture').src;
        by('picture').src = URL.createObjectURL(call.response);
        by('picture').setAttribute('data-slide', call.getResponseHeader('X-Slide') || '');
        if (old) { URL.revokeObjectURL(old); }
      }
      var has = call.getResponseHeader('X-Slide');
      if (tries < TRIES && has !== null && has !== String(number)) {
        fetching = setTimeout(function () { picture(number, tries + 1); }, 400);
      }
    };
    call.send();
  }

  function history(number) {
    if (number === listed) { return; }
    listed = number;
    request('GET', where('history', 'format=json'), null, function (ok, answer) {
      var list = by('history');
      list.innerHTML = '';
      if (!ok || !answer) { return; }
      answer.slides.slice(1, HISTORY + 1).forEach(function (slide) {
        slide.photos.forEach(function (photo) {
          var row = make('li', list), picture = make('img', row);
          picture.alt = '';
          picture.src = 'library/thumbnail/' + photo.photo;
          make('span', row, time(slide.started_millis) + '  ' + [photo.album, photo.name.split('/').pop()].filter(Boolean).join(' · '));
          button(row, t('Show'), { command: 'show', photo: photo.photo });
        });
      });
    });
  }

  function ask() {
    clearTimeout(timer);
    if (busy) { timer = setTimeout(ask, 200); return; }
    busy = true;
    request('GET', where('status', SHAPE), null, function (ok, status, text) {
      busy = false;
      if (ok && status && status.channel) {
        show(status);
        if (window.remote.heard) { window.remote.heard(status); }
      } else {
        complain(text || t('No answer from the server'));
      }
      // Nobody looks: nothing is asked.
      if (!document.hidden) { timer = setTimeout(ask, ASK_MS); }
    });
  }

  // ---- what a finger does

  document.addEventListener('click', function (event) {
    var name = event.target.getAttribute && event.target.getAttribute('data-command');
    if (name) { command({ command: name }); }
  });
  by('black').onclick = function () { command({ command: 'night', mode: 'black' }); };
  by('clock').onclick = function () { command({ command: 'night', mode: 'clock' }); };
  by('light').oninput = function () { sliding = true; };
  by('light').onchange = function () {
    var percent = Number(by('light').value);
    sliding = false;
    command(percent < 100 ? { command: 'night', mode: 'dim ' + percent + '%' } : { command: 'wake' });
  };
  by('say').onsubmit = function (event) {
    event.preventDefault();
    command({ command: 'say', text: by('text').value });
    by('text').value = '';
  };
  by('stay').onsubmit = function (event) {
    event.preventDefault();
    command({ command: 'interval', seconds: Number(by('seconds').value) });
  };
  // For the second half of the page.
  window.remote = {
    by: by, make: make, where: where, request: request, command: command, complain: complain, button: button, t: t, day: day,
    // What the page's own address chooses, and what is chosen since.
    own: search,
    aim: function (query) {
      search = query;
      shown = null;
      listed = null;
      ask();
    }
  };
  document.addEventListener('visibilitychange', function () { if (!document.hidden) { ask(); } });
  ask();
}());
