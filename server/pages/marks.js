// The buttons of the pages of hidden photos and of what was on: each sends its command and has the page come anew. ES5, for
// the tablet on the wall.
(function () {
  'use strict';
  var base = document.querySelector('script[data-base]').getAttribute('data-base');
  var problem = document.getElementById('problem');
  // The words of the page's language; what they don't have is in English, and # is filled in.
  function t(text, fill) {
    return String(window.mantelWords && mantelWords[text] || text).replace('#', function () { return fill; });
  }

  function send(button) {
    var call = new XMLHttpRequest();
    call.open('POST', base + 'control' + location.search.replace(/[?&]format=[^&]*/, ''));
    call.setRequestHeader('Content-Type', 'application/json');
    call.onload = function () {
      if (call.status === 200) {
        location.reload();
      } else {
        button.disabled = false;
        problem.textContent = call.responseText;
      }
    };
    call.onerror = function () {
      button.disabled = false;
      problem.textContent = t('No answer from the server');
    };
    button.disabled = true;
    call.send(JSON.stringify({
      command: button.getAttribute('data-command'),
      photo: button.getAttribute('data-photo')
    }));
  }
  document.addEventListener('click', function (event) {
    if (event.target.getAttribute('data-command')) { send(event.target); }
  });
}());
