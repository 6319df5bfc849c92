/** A Secret's `data` from plain values. */
export function base64(values: Record<string, string>): Record<string, string> {
  const entries = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return Object.fromEntries(entries);
}
