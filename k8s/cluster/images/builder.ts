import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tools } from '../debian.ts';
import type { Report } from '../progress.ts';
import { buildBase } from './base.ts';
import { buildahTools, type RunTool } from './buildah.ts';
import { buildArguments, type Image } from './catalog.ts';
import { writeBuildHome } from './home.ts';
import { containerdName } from './layout.ts';

/** Builds images with buildah in a directory of its own. Only one process at a time may use that directory. */
export class Builder {
  readonly #directory: string;
  readonly #tool: RunTool;
  readonly #policy: string[];

  private constructor(directory: string, tool: RunTool) {
    this.#directory = directory;
    this.#tool = tool;
    this.#policy = ['--signature-policy', join(directory, 'etc', 'policy.json')];
  }

  static async open(directory: string, tools: Tools): Promise<Builder> {
    await mkdir(directory, { recursive: true });
    await writeBuildHome(join(directory, 'home'));
    return new Builder(directory, await buildahTools(directory, tools));
  }

  async has(reference: string): Promise<boolean> {
    return (await this.#names()).includes(local(reference));
  }

  buildBase(base: string, report: Report): Promise<void> {
    return buildBase(this.#directory, local(base), this.#tool, report);
  }

  /** Builds an image out of the repository at `root`, on `base`. */
  async build(root: string, image: Image, reference: string, base: string, report: Report): Promise<void> {
    const home = ['--volume', `${join(this.#directory, 'home')}:/root`];
    const options = [...this.#policy, ...home, '--layers', '--pull-never', '--tag', local(reference)];
    await this.#tool(
      'buildah',
      ['build', ...options, ...buildArguments(root, image, local(base)), root],
      report,
    );
  }

  /** Adds an image to an OCI layout, under its name in containerd; zstd is the quickest for both to write and to read. */
  async export(reference: string, layout: string): Promise<void> {
    const target = `oci:${layout}:${containerdName(reference)}`;
    await this.#tool('buildah', [
      'push',
      ...this.#policy,
      '--compression-format',
      'zstd',
      '--quiet',
      local(reference),
      target,
    ]);
  }

  /** Removes the images that are not among `kept`, with the layers that only they have. */
  async prune(kept: string[]): Promise<void> {
    const names = kept.map(local);
    for (const name of await this.#names())
      if (!names.includes(name)) await this.#tool('buildah', ['rmi', name]);
  }

  async #names(): Promise<string[]> {
    const output = await this.#tool('buildah', ['images', '--format', '{{.Name}}:{{.Tag}}']);
    return output.split('\n').filter((name) => name && !name.startsWith('<none>'));
  }
}

/** The name in buildah's own storage, where `localhost/` means that it comes from no registry. */
function local(reference: string): string {
  return `localhost/${reference}`;
}
