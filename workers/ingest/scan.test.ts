import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { scanResults } from './scan.ts';

const scan = (text: string) => {
  const { elements, tail, closed } = scanResults(Buffer.from(text));
  return { elements: elements.map(String), tail: tail?.toString(), closed };
};

const users = ['{"a": "x,]}\\"{", "b": [1, {"c": 2}]}', '{"é": "\\\\"}', '{}'];
const text = `{"info": {"results": [9]}, "results": [${users.join(', ')}], "end": 1}`;

test('finds the elements as they were sent', () => {
  const found = scan(text);
  assert.deepEqual(
    found.elements.map((element) => JSON.parse(element)),
    users.map((user) => JSON.parse(user)),
  );
  assert.ok(found.closed);
  assert.deepEqual(scan('{"results": [ ]}'), { elements: [], tail: undefined, closed: true });
});

test('wherever the text breaks off, each whole user before the break is found', () => {
  const bytes = Buffer.from(text);
  for (let length = 0; length < bytes.length; length += 1) {
    const { elements, tail, closed } = scanResults(bytes.subarray(0, length));
    const parts = [...elements, ...(tail ? [tail] : [])].map((part) => part.toString().trim());
    const sent = bytes.subarray(0, length).toString();
    let from = 0;
    for (const [index, user] of users.entries()) {
      const at = sent.indexOf(user, from);
      if (at < 0) break;
      assert.equal(parts[index], user, `cut at ${length}`);
      from = at + user.length;
    }
    assert.equal(closed, length >= bytes.indexOf('], "end"') + 1, `cut at ${length}`);
  }
});

describe('a garbled element costs nothing around it:', () => {
  for (const garbled of ['{"a": ]}', '{"a": [}', '{"a": nul}', '{"a" "b"}', 'oops']) {
    test(garbled, () => {
      const found = scan(`{"results": [{"n": 1}, ${garbled}, {"n": 2}]}`);
      assert.deepEqual([found.elements.at(0), found.elements.at(-1)?.trim()], ['{"n": 1}', '{"n": 2}']);
      assert.ok(found.closed);
    });
  }
});

test('a text without the list has no elements', () => {
  for (const none of ['', '<html>[{"a": 1}]</html>', '{"error": "results"}', '["results", [1]]']) {
    assert.deepEqual(scan(none), { elements: [], tail: undefined, closed: false });
  }
});
