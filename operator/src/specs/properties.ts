const escaped = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t');

/** The text of a Java properties file; what is special to its reader is escaped. */
export function propertiesFile(properties: Record<string, string>): string {
  const lines = Object.entries(properties).map(([name, value]) => {
    const key = escaped(name).replaceAll(/[=: #!]/g, '\\$&');
    return `${key}=${escaped(value).replace(/^ /, '\\ ')}\n`;
  });
  return lines.join('');
}
