import type { Standing } from '../kube/standing.ts';

/** An object that someone else made has the name that ours would have. */
export class NameTakenError extends Error {
  constructor({ kind, metadata }: Standing) {
    super(
      `${kind} ${metadata.name} exists and is not the operator's; delete or rename it, or rename the pipeline`,
    );
  }
}

/** An object is being deleted: it is made anew once it is gone. */
export class TerminatingError extends Error {
  constructor({ kind, metadata, terminating }: Standing) {
    const held = terminating?.length ? `; it is held by ${terminating.join(', ')}` : '';
    super(`${kind} ${metadata.name} is being deleted and will be made anew once it is gone${held}`);
  }
}
