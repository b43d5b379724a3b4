// Reads a script from stdin with acorn. Arguments: acorn's folder, and what to do.
// `strip`: writes the script without comments, and without the blanks that it can do without.
// A year, or 5: writes the line of the first thing that this ECMAScript doesn't know, and what it is.
'use strict';
const acorn = require(process.argv[1]), task = process.argv[2];
const script = require('fs').readFileSync(0, 'utf8');

function parse(ecmaVersion, more) {
  try {
    acorn.parse(script, Object.assign({ ecmaVersion }, more));
  } catch (error) {
    if (!error.loc) { throw error; }
    return error;
  }
}

function tooNew() {
  const error = parse(Number(task));
  if (!error) { return ''; }
  let since = 'no script at all';
  for (let year = 2015; year <= new Date().getFullYear(); year++) {
    if (!parse(year)) {
      since = 'ES' + year;
      break;
    }
  }
  if (since === 'no script at all' && !parse('latest', { sourceType: 'module' })) { since = 'a module'; }
  const { line, column } = error.loc;
  const what = script.split('\n')[line - 1].slice(Math.max(column - 10, 0), column + 20);
  return `${line} \`${what}\` (${since})`;
}

// Nothing that stands beside these can change what they mean.
const JOINTS = '{}()[];,:=&|\'"\n';

// Two words would become one, and two signs could become another one; a word and a sign stay what they are. But for the end
// of a pattern, whose flags a word would be, and for a number, whose digits would follow a point.
function mayJoin(last, next) {
  if (JOINTS.includes(last) || JOINTS.includes(next)) { return true; }
  const isWord = (letter) => /[\w$\\\u0080-\uffff]/.test(letter);
  return isWord(last) !== isWord(next) && last !== '/' && next !== '.';
}

// Lines stay lines, so that semicolons that are not written are still where they were.
function strip() {
  let out = '', end = 0, line = 0;
  const error = parse('latest', { locations: true, onToken(token) {
    const text = script.slice(token.start, token.end);
    if (!text) { return; }
    const last = out.slice(-1) || '\n';
    if (token.loc.start.line !== line && out) {
      out += '{;,([:?=&|'.includes(last) || text[0] === '}' ? '' : '\n';
    } else if (token.start > end && !mayJoin(last, text[0])) {
      out += ' ';
    }
    out += text;
    end = token.end;
    line = token.loc.end.line;
  } });
  if (error) { throw new Error(error.message); }
  if (meaning(out) !== meaning(script)) { throw new Error('this would change what the script means'); }
  return out + '\n';
}

// A script as it is understood, wherever its parts stand.
function meaning(text) {
  const place = { start: 1, end: 1, raw: 1 };
  return JSON.stringify(acorn.parse(text, { ecmaVersion: 'latest' }), (key, value) =>
    key in place ? undefined : typeof value === 'bigint' ? String(value) : value);
}

process.stdout.write(task === 'strip' ? strip() : tooNew());
