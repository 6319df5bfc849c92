import type { IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

export type RawRequest = {
  method: string;
  path: string;
  body?: string;
  contentType?: string;
  /** The form that the answer is to have; plain JSON where it is left out. */
  accept?: string;
  signal: AbortSignal;
  /** Called when the connection stands, in the tick that writes the request; throwing means it isn't sent. */
  beforeSend?: () => void;
};

/** HTTP to one API server: its address, its certificates, the credentials as they are now. */
export type Transport = {
  host: string;
  /** Resolves when the answer's head is here; the body is still to be read. */
  send(request: RawRequest): Promise<IncomingMessage>;
  close(): void;
};

const CREDENTIALS_TTL_MS = 30_000;
/** Below the API server's own idle time, so that no request goes out on a connection it has just closed. */
const IDLE_SOCKET_MS = 50_000;

type Connection = { headers: Record<string, string>; agent: http.Agent; made: number; tls: string };

/** The transport to a KubeConfig's current cluster. Tokens and certificates are read anew as they rotate. */
export function createTransport(config: KubeConfig): Transport {
  const server = new URL(config.getCurrentCluster()?.server ?? 'http://localhost:8080');
  const secure = server.protocol === 'https:';
  const prefix = server.pathname.replace(/\/$/, '');
  let connection: Connection | undefined;

  const current = async (): Promise<Connection> => {
    if (!connection || performance.now() - connection.made > CREDENTIALS_TTL_MS) {
      connection = await connect(config, secure, connection);
    }
    return connection;
  };

  return {
    host: server.host,
    async send(request) {
      const { agent, headers } = await current();
      const options: https.RequestOptions = {
        hostname: server.hostname.replace(/^\[|\]$/g, ''),
        port: server.port || (secure ? 443 : 80),
        path: prefix + request.path,
        method: request.method,
        headers: { ...headers, ...bodyHeaders(request), accept: request.accept ?? 'application/json' },
        agent,
      };
      const answer = await exchange((secure ? https : http).request(options), request);
      if (answer.statusCode === 401) connection = undefined;
      return answer;
    },
    close() {
      connection?.agent.destroy();
      connection = undefined;
    },
  };
}

/**
 * Its connections all lead to one server with the same credentials. A plain agent puts all of these into a name, several
 * times a request, to tell its connections apart.
 */
class OneServerAgent extends https.Agent {
  override getName(): string {
    return 'one';
  }
}

/** Reads the credentials; keeps the open connections unless the certificates changed. */
async function connect(config: KubeConfig, secure: boolean, last?: Connection): Promise<Connection> {
  const options: https.RequestOptions = {};
  if (secure) await config.applyToHTTPSOptions(options);
  const headers = { ...(options.headers as Record<string, string> | undefined), 'user-agent': 'userstream' };
  const tls = [options.ca, options.cert, options.key].map(String).join();
  const made = performance.now();
  if (last?.tls === tls) return { headers, agent: last.agent, made, tls };
  return { headers, agent: createAgent(config, secure, options), made, tls };
}

function createAgent(config: KubeConfig, secure: boolean, options: https.RequestOptions): http.Agent {
  const keepAlive = { keepAlive: true, keepAliveMsecs: 15_000, timeout: IDLE_SOCKET_MS };
  if (!secure) return new http.Agent(keepAlive);
  if (config.getCurrentCluster()?.proxyUrl && options.agent instanceof http.Agent) return options.agent;
  const { ca, cert, key, rejectUnauthorized, servername } = options;
  const tls = Object.entries({ ca, cert, key, rejectUnauthorized, servername });
  return new OneServerAgent({
    ...keepAlive,
    ...Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
  });
}

function bodyHeaders(request: RawRequest): Record<string, string> {
  if (request.body === undefined) return {};
  return {
    'content-type': request.contentType ?? 'application/json',
    'content-length': String(Buffer.byteLength(request.body)),
  };
}

function exchange(outgoing: http.ClientRequest, request: RawRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const write = () => {
      try {
        request.beforeSend?.();
        outgoing.end(request.body);
      } catch (error) {
        outgoing.destroy(error as Error);
      }
    };
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    onceConnected(outgoing, write);
    endWith(outgoing, request.signal);
  });
}

/** Ends the exchange when the signal aborts. Node's own option for that costs a tenth of a request's time. */
function endWith(outgoing: http.ClientRequest, signal: AbortSignal): void {
  const end = () => outgoing.destroy(signal.reason);
  if (signal.aborted) end();
  signal.addEventListener('abort', end);
  outgoing.once('close', () => signal.removeEventListener('abort', end));
}

/** The whole of an answer's body. A stream's iterator would take twice the time. */
export function bodyOf(answer: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = '';
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      body += chunk;
    });
    answer.on('end', () => resolve(body));
    answer.on('error', reject);
  });
}

/** Calls `write` as soon as the request has a connection that stands. */
export function onceConnected(outgoing: http.ClientRequest, write: () => void): void {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) write();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', write);
  });
}
