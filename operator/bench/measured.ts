// The operator as it is, which also collects its garbage when it is told to: what is left is what it needs.
process.on('SIGUSR2', () => globalThis.gc?.());
await import('../src/main.ts');
