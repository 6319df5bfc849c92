/** What the API server takes of a note, in bytes of UTF-8. */
const MAX_NOTE = 1024;
const ELLIPSIS = '…';

/** A message as an event's note, cut at the end of a character where it is too long. */
export function noteOf(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= MAX_NOTE) return message;
  const room = bytes.subarray(0, MAX_NOTE - Buffer.byteLength(ELLIPSIS));
  // In a stream, a character that isn't whole is kept back.
  return new TextDecoder().decode(room, { stream: true }) + ELLIPSIS;
}
