import type { Credentials, Sections } from './config.ts';
import { StageError } from './health.ts';

type RegistrySection = Sections['schemaRegistry'];

export type RegisteredSchema = { id: number; schema: unknown };

/** One subject of a schema registry with Confluent's API. Every method throws a StageError of stage SchemaRegistry. */
export type SubjectClient = {
  setCompatibility(level: 'BACKWARD'): Promise<void>;
  /** Registers `schema` if it isn't yet, and gives its id. Refused with SchemaIncompatible where readers would break. */
  register(schema: object): Promise<number>;
  /** Whether those who read with `schema` could read what was written with the newest one, as the subject asks. */
  accepts(schema: object): Promise<boolean>;
  /** The newest schema. SchemaMissing where there is none. */
  latest(): Promise<RegisteredSchema>;
  /** Removes the subject with all versions; one that is gone already is fine. */
  remove(): Promise<void>;
};

const TIMEOUT_MS = 10_000;

/** A client of the subject that `section` names. */
export function subjectClient(section: RegistrySection, credentials: Credentials | undefined): SubjectClient {
  const subject = encodeURIComponent(section.subject);
  const call = (method: string, path: string, body?: object) =>
    request(section, credentials, method, path, body);
  const avro = (schema: object) => ({ schemaType: 'AVRO', schema: JSON.stringify(schema) });
  return {
    setCompatibility: async (compatibility) => {
      await expectOk(section, await call('PUT', `/config/${subject}`, { compatibility }));
    },
    register: async (schema) => {
      const answer = await call('POST', `/subjects/${subject}/versions`, avro(schema));
      return idFrom(section, await expectOk(section, answer));
    },
    accepts: async (schema) => {
      const path = `/compatibility/subjects/${subject}/versions/latest`;
      const body = await expectOk(section, await call('POST', path, avro(schema)));
      return (body as { is_compatible?: unknown } | undefined)?.is_compatible === true;
    },
    latest: async () => {
      const body = await expectOk(section, await call('GET', `/subjects/${subject}/versions/latest`));
      return { id: idFrom(section, body), schema: parse((body as { schema: string }).schema) };
    },
    remove: async () => {
      for (const path of [`/subjects/${subject}`, `/subjects/${subject}?permanent=true`]) {
        const answer = await call('DELETE', path);
        if (answer.status !== 404) await expectOk(section, answer);
      }
    },
  };
}

async function request(
  { url }: RegistrySection,
  credentials: Credentials | undefined,
  method: string,
  path: string,
  body?: object,
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/vnd.schemaregistry.v1+json' };
  if (body) headers['content-type'] = 'application/vnd.schemaregistry.v1+json';
  if (credentials) {
    headers['authorization'] =
      `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  }
  try {
    const init = { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
    return await fetch(url.replace(/\/$/, '') + path, body ? { ...init, body: JSON.stringify(body) } : init);
  } catch (error) {
    const cause =
      (error as Error).cause instanceof Error ? ((error as Error).cause as Error) : (error as Error);
    throw new StageError(
      'SchemaRegistry',
      'SchemaRegistryUnreachable',
      `the schema registry at ${url}: ${cause.message}; check that it is up and can be reached from this pod`,
      { cause: error },
    );
  }
}

async function expectOk({ url, subject }: RegistrySection, answer: Response): Promise<unknown> {
  const text = await answer.text();
  if (answer.ok) return parse(text);
  const said = (parse(text) as { message?: string } | undefined)?.message ?? text.slice(0, 300);
  const [reason, next] = adviceFor(answer.status);
  throw new StageError(
    'SchemaRegistry',
    reason,
    `the schema registry at ${url} answered ${answer.status} for subject ${subject}: ${said}; ${next}`,
  );
}

function adviceFor(status: number): [reason: string, next: string] {
  if (status === 401 || status === 403) return ['SchemaRegistryAccessDenied', 'check its credentials'];
  if (status === 404) {
    return ['SchemaMissing', 'the provision job registers the schema: see its logs; or correct the url'];
  }
  if (status === 409 || status === 422) {
    return ['SchemaIncompatible', 'the subject holds a schema of another kind: choose another topic'];
  }
  return ['SchemaRegistryError', 'see its logs; it is tried again'];
}

function idFrom({ url }: RegistrySection, body: unknown): number {
  const id = (body as { id?: unknown } | undefined)?.id;
  if (typeof id === 'number') return id;
  throw new StageError(
    'SchemaRegistry',
    'SchemaRegistryError',
    `${url} gave no schema id: schemaRegistry.url must be the root of a Confluent-compatible API (…/apis/ccompat/v7)`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
