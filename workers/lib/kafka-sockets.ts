import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;

/**
 * Makes kafkajs's sockets. It takes leave by `end`, after which the kernel goes on delivering what it holds for minutes: past
 * a network that was cut, records of a session that is over would land behind those of the next. These end by a reset.
 */
export const resettingSockets: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const wire = connect({ host, port });
  wire.setKeepAlive(true, KEEP_ALIVE_MS);
  const socket = ssl ? secured(wire, host, ssl) : wire;
  socket.once(ssl ? 'secureConnect' : 'connect', onConnect);
  socket.end = () => {
    resetAtEnd(wire);
    return socket.destroy();
  };
  return socket;
};

/** Over TLS it is Node that ends the wire, when it has done with what lies on it: a reset before that crashes it. */
function resetAtEnd(wire: Socket): void {
  const { destroy } = wire;
  wire.destroy = () => {
    wire.destroy = destroy;
    // What was never connected has nothing to deliver, and a reset would wait for the connection.
    return wire.connecting ? wire.destroy() : wire.resetAndDestroy();
  };
}

function secured(wire: Socket, host: string, ssl: Parameters<ISocketFactory>[0]['ssl']): Socket {
  const named = isIP(host) ? {} : { servername: host };
  return connectTls({ ...named, ...ssl, host, socket: wire });
}
