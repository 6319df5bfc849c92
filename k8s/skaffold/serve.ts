// The registry of `npm run skaffold`, a process in the cluster's network namespace: node serve.ts CACHE STATE_DIRECTORY
import { REGISTRY, registryContent } from './paths.ts';
import { registryServer } from './registry.ts';

const [cache, stateDir] = process.argv.slice(2);
if (!cache || !stateDir) throw new Error('usage: node serve.ts CACHE STATE_DIRECTORY');
registryServer(registryContent(cache, stateDir)).listen(REGISTRY.port, REGISTRY.host);
process.stdin.on('end', () => process.exit()).resume(); // it ends with who started it, however that ends
