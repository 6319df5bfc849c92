import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { type Kind, resourcePath } from '../kube/resources.ts';
import { allObjects, externalPipeline, fullPipeline } from '../specs/testing.ts';
import { FOLLOWED, SECRETS } from './followed.ts';
import { OWNED } from './owned.ts';

const CHART = join(import.meta.dirname, '../../../charts/userstream-operator/templates/_helpers.tpl');

type Rule = { apiGroups: string[]; resources: string[]; verbs: string[] };

/** The rules of the operator's role, which are plain YAML between the lines of the template. */
function rules(): Rule[] {
  const [, text = ''] =
    /define "userstream.rules" -}}\n([\s\S]*?)\n{{- end/.exec(readFileSync(CHART, 'utf8')) ?? [];
  return parse(text.replaceAll(/{{.*?}}/gs, ''));
}

function verbsOn(kind: Kind): string[] {
  const group = kind.apiVersion.includes('/') ? kind.apiVersion.split('/')[0] : '';
  const resource = resourcePath(kind).split('/').at(-1) ?? '';
  const fitting = rules().filter(
    (rule) => rule.apiGroups.includes(group ?? '') && rule.resources.includes(resource),
  );
  return fitting.flatMap(({ verbs }) => verbs);
}

const id = ({ apiVersion, kind }: Kind) => `${apiVersion} ${kind}`;

describe('what the operator follows', () => {
  const followed = FOLLOWED.map(({ kind }) => id(kind));

  test('is every kind that it makes', () => {
    const made = [fullPipeline(), externalPipeline()].flatMap((pipeline) => allObjects(pipeline).map(id));
    assert.deepEqual(
      [...new Set(made)].filter((kind) => !followed.includes(kind)),
      [],
    );
  });

  test('is found by the labels that its objects bear', () => {
    const selected = FOLLOWED.filter(({ labelSelector }) => labelSelector);
    assert.ok(selected.every(({ labelSelector }) => labelSelector === 'app.kubernetes.io/name=userstream'));
    for (const object of allObjects(fullPipeline())) {
      assert.equal(object.metadata.labels?.['app.kubernetes.io/name'], 'userstream', id(object));
    }
  });

  test('is of Secrets the metadata alone', () => {
    assert.equal(FOLLOWED.find(({ kind }) => id(kind) === id(SECRETS))?.keep, undefined);
  });

  for (const { kind } of FOLLOWED) {
    test(`${id(kind)} may be listed and watched by the chart's role`, () => {
      const verbs = verbsOn(kind);
      for (const verb of ['list', 'watch']) assert.ok(verbs.includes(verb), verb);
    });
  }

  for (const kind of OWNED) {
    test(`${id(kind)} may be made, changed and taken away by the chart's role`, () => {
      const verbs = verbsOn(kind);
      for (const verb of ['get', 'create', 'patch', 'delete']) assert.ok(verbs.includes(verb), verb);
    });
  }
});
