import { KubeConfig } from '@kubernetes/client-node';
import { isNotFound } from './errors.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import { refOf } from './object.ts';
import type { ApplyOptions, DeleteOptions, ListPage, Preconditions } from './options.ts';
import type { RequestOptions } from './requests.ts';
import { Requests } from './requests.ts';
import type { Kind } from './resources.ts';
import { resourcePath } from './resources.ts';
import { accept, type Selection, selectionQuery } from './selection.ts';
import { createTransport, type RawRequest } from './transport.ts';
import type { WatchEvent } from './watch-stream.ts';
import { readWatchEvents } from './watch-stream.ts';

const PAGE_SIZE = 500;

/**
 * Plain JSON in and out of the API server. Every method throws ApiError for an answer that says no, and
 * NoAnswerError where there was none in time: whether a write was done is then unknown.
 */
export class KubeClient {
  readonly #requests: Requests;

  constructor(config: KubeConfig | Requests, options: RequestOptions = {}) {
    this.#requests = config instanceof Requests ? config : new Requests(createTransport(config), options);
  }

  /** How far this machine's clock is ahead of the server's, as its last answer told. */
  get aheadMs(): number {
    return this.#requests.aheadMs;
  }

  /** A client on the same connections with other options: writes only while `mayWrite` says so, say. */
  with(options: RequestOptions): KubeClient {
    return new KubeClient(this.#requests.with(options));
  }

  /** Server-side apply. An apply that changes nothing leaves the resourceVersion as it was. */
  async apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    const { fieldManager, force = true, subresource, preconditions } = options;
    const query = new URLSearchParams({ fieldManager, force: String(force), fieldValidation: 'Strict' });
    const body = { ...object, metadata: { ...object.metadata, ...preconditions } };
    const ref = refOf(object);
    return await this.#write<T>(ref, {
      method: 'PATCH',
      path: `${resourcePath(ref, subresource)}?${query}`,
      contentType: 'application/apply-patch+yaml',
      body: JSON.stringify(body),
    });
  }

  /** Applies the status alone, through the status subresource. */
  applyStatus<T extends KubeObject>(object: T, options: Omit<ApplyOptions, 'subresource'>): Promise<T> {
    return this.apply(object, { ...options, subresource: 'status' });
  }

  /** The object, or undefined where there is none. */
  async get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.#requests.json<T>({ method: 'GET', path: resourcePath(ref) });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** All objects of a kind, page by page. */
  async list<T extends KubeObject>(kind: Kind, selection: Selection = {}): Promise<ListPage<T>> {
    const items: T[] = [];
    let page: ListPage<T> | undefined;
    do {
      page = await this.listPage<T>(kind, selection, page?.continue);
      items.push(...page.items);
    } while (page.continue);
    return { items, resourceVersion: page.resourceVersion };
  }

  /** One page of a list; `continueToken` is the last page's. Throws 410 Gone when that token grew too old. */
  async listPage<T extends KubeObject>(
    kind: Kind,
    selection: Selection,
    continueToken?: string,
    signal?: AbortSignal,
  ): Promise<ListPage<T>> {
    const query = selectionQuery(selection, { limit: String(PAGE_SIZE) });
    if (continueToken) query.set('continue', continueToken);
    const path = `${resourcePath({ ...kind, ...selection })}?${query}`;
    const request = { method: 'GET', path, ...accept('List', selection) };
    const answer = await this.#requests.json<ListAnswer<T>>(request, signal);
    // The items of a list carry neither kind nor apiVersion.
    const items = (answer.items ?? []).map((item) => ({ ...item, ...pickKind(kind) }));
    const { resourceVersion, continue: next } = answer.metadata;
    return { items, resourceVersion, ...(next ? { continue: next } : {}) };
  }

  /** Creates the object; throws AlreadyExists where there is one. */
  async create<T extends KubeObject>(object: T, options: { fieldManager?: string } = {}): Promise<T> {
    const { name: _, ...collection } = refOf(object);
    const query = options.fieldManager ? `?fieldManager=${encodeURIComponent(options.fieldManager)}` : '';
    const path = `${resourcePath(collection)}${query}`;
    return await this.#write<T>(refOf(object), { method: 'POST', path, body: JSON.stringify(object) });
  }

  /** Replaces the whole object; its metadata.resourceVersion is the precondition. */
  async replace<T extends KubeObject>(object: T, signal?: AbortSignal): Promise<T> {
    const ref = refOf(object);
    const path = resourcePath(ref);
    return await this.#write<T>(ref, { method: 'PUT', path, body: JSON.stringify(object) }, signal);
  }

  /** JSON merge patch: null takes a field away. */
  async mergePatch<T extends KubeObject>(
    ref: ObjectRef,
    patch: Record<string, unknown>,
    options: { subresource?: string; preconditions?: Preconditions; fieldManager?: string } = {},
  ): Promise<T> {
    const metadata = { ...(patch['metadata'] as object | undefined), ...options.preconditions };
    const query = options.fieldManager ? `?fieldManager=${encodeURIComponent(options.fieldManager)}` : '';
    return await this.#write<T>(ref, {
      method: 'PATCH',
      path: `${resourcePath(ref, options.subresource)}${query}`,
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({ ...patch, metadata }),
    });
  }

  /** Deletes the object; answers false where there was none. Throws Conflict when a precondition fails. */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const { preconditions, propagationPolicy = 'Background' } = options;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, preconditions };
    try {
      await this.#requests.json({ method: 'DELETE', path: resourcePath(ref), body: JSON.stringify(body) });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /**
   * Changes after `resourceVersion`, bookmarks included, until the server ends the watch after `timeoutSeconds`.
   * Throws Gone (410) when the version is too old, and whatever cuts the connection.
   */
  async *watch<T extends KubeObject>(
    kind: Kind,
    selection: Selection,
    options: { resourceVersion: string; timeoutSeconds: number; signal: AbortSignal },
  ): AsyncGenerator<WatchEvent<T>> {
    const query = selectionQuery(selection, {
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: options.resourceVersion,
      timeoutSeconds: String(options.timeoutSeconds),
    });
    const path = `${resourcePath({ ...kind, ...selection })}?${query}`;
    const request = { method: 'GET', path, signal: options.signal, ...accept('', selection) };
    const answer = await this.#requests.stream(request, 'WATCH');
    for await (const event of readWatchEvents<T>(answer, `WATCH ${path}`)) {
      // Metadata alone comes as a kind of its own.
      Object.assign(event.object, pickKind(kind));
      yield event;
    }
  }

  /** The text at a path of the server's own, as `/readyz`. */
  async raw(path: string): Promise<string> {
    return await this.#requests.text({ method: 'GET', path });
  }

  async #write<T extends KubeObject>(
    ref: ObjectRef,
    request: Omit<RawRequest, 'signal'>,
    signal?: AbortSignal,
  ): Promise<T> {
    const write = () => this.#requests.json<T>(request, signal);
    const { aroundWrite } = this.#requests.options;
    return await (aroundWrite ? aroundWrite(ref, write) : write());
  }

  /** Closes the connections; the client and those made from it are of no use afterwards. */
  close(): void {
    this.#requests.close();
  }
}

/** The cluster's own configuration inside a pod, else KUBECONFIG or ~/.kube/config. */
export function loadKubeConfig(file?: string): KubeConfig {
  const config = new KubeConfig();
  if (file) config.loadFromFile(file);
  else config.loadFromDefault();
  return config;
}

type ListAnswer<T> = { items?: T[] | null; metadata: { resourceVersion: string; continue?: string } };

const pickKind = ({ apiVersion, kind }: Kind): Kind => ({ apiVersion, kind });
