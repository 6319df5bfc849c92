import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { GROUP, KIND, VERSION } from '../api/pipeline.ts';
import { customResourceDefinition, openApiSchema } from './definition.ts';
import { referenceOf } from './reference.ts';

/** Where the chart keeps the CRD: a template, because Helm never upgrades what stands in `crds/`. */
export const TEMPLATE = new URL('../../../charts/userstream-operator/templates/crd.yaml', import.meta.url);

export const REFERENCE = new URL('../../../docs/reference/userstreampipeline.md', import.meta.url);

const ORIGIN = 'Generated from operator/src/api by `npm run generate`; edit there.';

/**
 * The chart's template, quoted for YAML 1.1 too; one release of a cluster installs it. Helm would take `{{` for an action;
 * no text of the schema has it.
 */
export function crdTemplate(): string {
  const options = { lineWidth: 0, aliasDuplicateObjects: false, version: '1.1' } as const;
  const definition = stringify(customResourceDefinition(), options);
  return `# ${ORIGIN}\n{{- if .Values.crd.install }}\n${definition}{{- end }}\n`;
}

/** The field reference of the docs. */
export function reference(): string {
  return `<!-- ${ORIGIN} -->\n\n${referenceOf(`${KIND} (${GROUP}/${VERSION})`, openApiSchema())}`;
}

if (import.meta.main) {
  writeFileSync(TEMPLATE, crdTemplate());
  writeFileSync(REFERENCE, reference());
}
