import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { customResourceDefinition } from './definition.ts';

/** Where the chart keeps the CRD: a template, because Helm never upgrades what stands in `crds/`. */
export const TEMPLATE = new URL('../../../charts/userstream-operator/templates/crd.yaml', import.meta.url);

/** The chart's template. Helm would take `{{` for an action; no text of the schema has it. */
export function crdTemplate(): string {
  const head = '# Generated from operator/src/api by `npm run generate`; edit there.\n';
  return (
    head +
    stringify(customResourceDefinition(), { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' })
  );
}

if (import.meta.main) writeFileSync(TEMPLATE, crdTemplate());
