/** A request of an operator as it passed, or was kept from passing. */
export type Sent = {
  /** The process that sent it. */
  by: string;
  method: string;
  path: string;
  query: URLSearchParams;
  /** The form of answer that was asked for. */
  accept: string;
  body: string;
  /** Its number among the writes of the run; Leases, which follow the clock, and events, which say what is done already, have none. */
  write?: number;
  at: number;
  code?: number;
};

export type Answer = { code: number; headers?: Record<string, string>; body: string };

/** A line of which only the first half arrives. */
export type Torn = { torn: string };

/** What a fault may do at each point of a request's way. */
export type Tap = {
  /** Before the API server sees it: an answer of the tap's own, or 'drop' for none at all. */
  request?(sent: Sent): Answer | 'drop' | undefined | Promise<Answer | 'drop' | undefined>;
  /** The API server has answered: 'lose' closes the connection with no answer, 'cut' in the middle of one. */
  response?(sent: Sent, answer: Answer): 'lose' | 'cut' | undefined;
  /** The answer has been handed to the operator's kernel. */
  passed?(sent: Sent): void;
  /** The lines of a watch, on their way; one that is torn is the last. */
  watch?(sent: Sent, lines: AsyncIterable<string>): AsyncIterable<string | Torn>;
};

export function isWrite({ method, path }: Pick<Sent, 'method' | 'path'>): boolean {
  return method !== 'GET' && !isLease({ path });
}

export function isLease({ path }: Pick<Sent, 'path'>): boolean {
  return path.includes('/leases');
}

export function isEvent({ path }: Pick<Sent, 'path'>): boolean {
  return path.includes('/events');
}
