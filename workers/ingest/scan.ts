const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const STRUCTURE = new Set(Buffer.from('{}[],'));

export type Scan = {
  /** The elements of `results`, each as the bytes it was sent in. */
  elements: Buffer[];
  /** What was sent of an element that breaks off. */
  tail: Buffer | undefined;
  /** Whether the list was there to its end. */
  closed: boolean;
};

/**
 * Finds the elements of the list `results` in the text of a JSON object that need not be well-formed: it may break off
 * anywhere, or hold an element that isn't JSON. It works on bytes, which need not be UTF-8 either.
 */
export function scanResults(text: Buffer): Scan {
  const from = findResults(text);
  return from < 0 ? { elements: [], tail: undefined, closed: false } : scanElements(text, from);
}

/** Where the list begins that the outermost object holds as `results`; -1 when there is none. */
function findResults(text: Buffer): number {
  let depth = 0;
  let key = '';
  for (const { kind, at, end } of tokens(text, 0)) {
    if (kind === '[' && depth === 1 && key === 'results') return end;
    if (kind === '{' || kind === '[') depth += 1;
    else if (kind === '}' || kind === ']') depth -= 1;
    else if (depth === 1) key = kind === '"' ? text.toString('utf8', at + 1, end - 1) : '';
  }
  return -1;
}

function scanElements(text: Buffer, from: number): Scan {
  const elements: Buffer[] = [];
  const open: string[] = [];
  let start = from;
  const take = (end: number) => {
    const element = text.subarray(start, end);
    if (!isBlank(element)) elements.push(element);
    start = end + 1;
  };
  for (const { kind, at } of tokens(text, from)) {
    if (kind === '{' || kind === '[') open.push(kind);
    else if (kind === '}') closeObject(open);
    else if (kind === ']' && open.at(-1) === '[') open.pop();
    else if (kind === ',' && open.length === 0) take(at);
    else if (kind === ']' && open.length === 0) {
      take(at);
      return { elements, tail: undefined, closed: true };
    }
  }
  const tail = text.subarray(start);
  return { elements, tail: isBlank(tail) ? undefined : tail, closed: false };
}

/** Closes the innermost object, and with it any list in it that a garbled element left open. */
function closeObject(open: string[]) {
  const object = open.lastIndexOf('{');
  if (object >= 0) open.length = object;
}

type Token = { kind: string; at: number; end: number };

/** Brackets, commas and whole strings, in order; all else lies between them. */
function* tokens(text: Buffer, from: number): Generator<Token> {
  for (let at = from; at < text.length; at += 1) {
    const byte = text[at] as number;
    if (byte !== QUOTE && !STRUCTURE.has(byte)) continue;
    const end = byte === QUOTE ? endOfString(text, at) : at + 1;
    yield { kind: String.fromCharCode(byte), at, end };
    at = end - 1;
  }
}

/** The place after the string that opens at `at`; the text's end if it doesn't close. */
function endOfString(text: Buffer, at: number): number {
  for (let quote = text.indexOf(QUOTE, at + 1); quote >= 0; quote = text.indexOf(QUOTE, quote + 1)) {
    if (!isEscaped(text, quote)) return quote + 1;
  }
  return text.length;
}

function isEscaped(text: Buffer, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

function isBlank(text: Buffer): boolean {
  return text.toString('latin1').trim() === '';
}
