import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Selection, selects } from './selection.ts';

describe('whether an object is selected', () => {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'here', labels: { color: 'red', size: 'xl' } },
  };
  const cases: { name: string; selection: Selection; selected: boolean }[] = [
    { name: 'everything is', selection: {}, selected: true },
    { name: 'by its label', selection: { labelSelector: 'color=red' }, selected: true },
    { name: 'by all of its labels', selection: { labelSelector: 'color=red,size=xl' }, selected: true },
    { name: 'not by one of two', selection: { labelSelector: 'color=red,size=s' }, selected: false },
    { name: 'not by a label that it lacks', selection: { labelSelector: 'owner=me' }, selected: false },
    { name: 'not surely by another form', selection: { labelSelector: 'color' }, selected: false },
    { name: 'by its namespace', selection: { namespace: 'here' }, selected: true },
    { name: 'not by another namespace', selection: { namespace: 'there' }, selected: false },
  ];
  for (const { name, selection, selected } of cases) {
    test(name, () => assert.equal(selects(selection, object), selected));
  }
});
