// The remote's second half: for which screen it is, photos and albums to choose from, and the screens. ES5, loaded behind
// what is on, which it never holds up.
(function () {
  'use strict';

  var remote = window.remote, by = remote.by, make = remote.make, request = remote.request, t = remote.t;
  var CHOICE = ['album', 'from', 'to', 'rating', 'keyword', 'orientation', 'on-this-day', 'newest', 'favourites', 'channel'];
  var profiles = [], asleep = [], screens = null, target = '', next = 0, asked = '', albums = null;

  function pairs(query) { return query.replace(/^\?/, '').split('&').filter(Boolean); }
  function isChoice(pair) { return CHOICE.indexOf(pair.split('=')[0]) >= 0; }
  function kept() {
    return profiles.filter(function (profile) { return profile.name === target; })[0] || { name: target, query: '' };
  }

  // ---- for which screen

  function aim(name) {
    target = name;
    remote.aim(name ? pairs(kept().query).filter(isChoice).join('&') : remote.own);
    by('rest').hidden = !name;
    by('rest').textContent = asleep.indexOf(name) >= 0 ? t('Wake it') : t('Let it sleep');
  }

  function names() {
    var all = profiles.map(function (profile) { return profile.name; }).concat(asleep);
    (screens || []).forEach(function (screen) { if (/^[a-z0-9-]{1,40}$/.test(screen.name)) { all.push(screen.name); } });
    return all.filter(function (name, place) { return all.indexOf(name) === place; }).sort();
  }

  function targets() {
    var select = by('target'), known = names();
    var drawn = [].map.call(select.options, function (option) { return option.value; }).slice(1);
    by('aim').hidden = !known.length;
    if (drawn.join() !== known.join()) {
      while (select.options.length > 1) { select.remove(1); }
      known.forEach(function (name) { make('option', select, name).value = name; });
    }
    select.value = known.indexOf(target) >= 0 ? target : '';
    by('rest').textContent = asleep.indexOf(target) >= 0 ? t('Wake it') : t('Let it sleep');
  }

  function look(done) {
    request('GET', 'profiles', null, function (ok, answer) {
      if (!ok || !answer) { return; }
      profiles = answer.profiles;
      asleep = answer.asleep || [];
      targets();
      list();
      if (done) { done(); }
    });
  }

  // Settings of a screen are its own; what all watch is chosen for all.
  function choose(album) {
    if (!target) {
      remote.command(album ? { command: 'choose', album: album } : { command: 'choose' });
      return;
    }
    var rest = pairs(kept().query).filter(function (pair) { return !isChoice(pair); });
    var query = rest.concat(album ? ['album=' + encodeURIComponent(album)] : []).join('&');
    request('POST', 'profiles', { name: target, query: query }, function (ok, _, text) {
      remote.complain(ok ? '' : text || t('No answer from the server'));
      look(function () { aim(target); });
    });
  }

  // ---- photos to show

  function tile(grid, photo, words, label, done) {
    var tile = make('button', grid), image = make('img', tile);
    tile.type = 'button';
    tile.setAttribute('aria-label', label);
    image.alt = '';
    // Where an engine doesn't know it, all of them come at once.
    image.loading = 'lazy';
    image.width = 320;
    image.height = 180;
    image.src = 'library/thumbnail/' + photo;
    make('span', tile, words);
    tile.onclick = done;
  }

  function found(ok, answer, text) {
    if (!ok || !answer) { remote.complain(text || t('No answer from the server')); return; }
    remote.complain('');
    answer.photos.forEach(function (photo) {
      var words = [remote.day(photo.taken_at), photo.place || photo.album].filter(Boolean).join(' · ');
      tile(by('found'), photo.photo, words || photo.name.split('/').pop(), t('Show #', photo.name), function () {
        remote.command({ command: 'show', photo: photo.photo });
      });
    });
    if (!by('found').firstChild) { make('p', by('found'), t('Nothing found')); }
    next = answer.next;
    by('more').hidden = next === null || next === undefined;
  }

  function find(offset) {
    if (!offset) { by('found').innerHTML = ''; }
    request('GET', remote.where('library/photos', 'q=' + encodeURIComponent(asked) + '&offset=' + offset), null, found);
  }

  // ---- albums

  function month(taken) {
    var part = (taken || '').split('-');
    return part.length < 2 ? '' : new Date(part[0], part[1] - 1, 1).toLocaleDateString([], { year: 'numeric', month: 'short' });
  }

  function days(album) {
    var from = month(album.from), to = month(album.to);
    return from === to ? from : from + ' – ' + to;
  }

  function drawAlbums(answer) {
    var grid = by('albums');
    albums = answer.albums;
    grid.innerHTML = '';
    var everything = remote.button(grid, t('All photos'), null);
    everything.className = 'all';
    everything.onclick = function () { choose(''); };
    albums.forEach(function (album) {
      var words = [album.album, album.photos, days(album)].filter(Boolean).join(' · ');
      tile(grid, album.cover, words, t('Choose #', album.album), function () { choose(album.album); });
    });
  }

  by('albums-of').addEventListener('toggle', function () {
    if (!this.open || albums) { return; }
    request('GET', 'library/albums', null, function (ok, answer, text) {
      if (ok && answer) { drawAlbums(answer); } else { remote.complain(text || t('No answer from the server')); }
    });
  }, false);

  // ---- screens

  function list() {
    var box = by('screens');
    if (!screens) { return; }
    box.innerHTML = '';
    screens.concat(asleep.filter(function (name) {
      return !screens.some(function (screen) { return screen.name === name; });
    }).map(function (name) { return { name: name, state: 'asleep' }; })).forEach(function (screen) {
      var row = make('li', box), sleeps = asleep.indexOf(screen.name) >= 0;
      var figures = screen.fps ? t('# frames/s', Math.round(screen.fps)) : '';
      make('span', row, [screen.name || screen.address, screen.state, screen.reason, figures].filter(Boolean).join(' · '));
      if (!/^[a-z0-9-]{1,40}$/.test(screen.name)) { return; }
      remote.button(row, sleeps ? t('Wake') : t('Sleep'), null).onclick = function () { rest(screen.name, !sleeps); };
    });
    by('screens-of').hidden = !box.firstChild;
  }

  function rest(name, sleeps) {
    request('POST', 'control', { command: sleeps ? 'sleep' : 'wake', screen: name }, function (ok, _, text) {
      remote.complain(ok ? '' : text || t('No answer from the server'));
      look();
    });
  }

  remote.heard = function (status) {
    var seen = JSON.stringify(status.screens);
    if (seen === JSON.stringify(screens)) { return; }
    screens = status.screens;
    targets();
    list();
  };

  by('target').onchange = function () { aim(by('target').value); };
  by('rest').onclick = function () { rest(target, asleep.indexOf(target) < 0); };
  by('find').onsubmit = function (event) {
    event.preventDefault();
    asked = by('query').value;
    find(0);
  };
  by('more').onclick = function () { find(next); };
  // Of the screen whose code led here.
  by('settings').href = 'settings' + location.search;
  // The TV's code leads here by its name.
  look(function () {
    var name = (/[?&]name=([a-z0-9-]{1,40})(&|$)/.exec(location.search) || [])[1];
    if (name && names().indexOf(name) >= 0) { by('target').value = name; aim(name); }
  });
}());
