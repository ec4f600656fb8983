import t from 'tap'
import { quoted } from '../../checks/quoted.ts'
import { probablyMeant } from '../../checks/spelling.ts'
import { isBaseUrl, isHostName, isOrigin, isPath, isRedisUrl } from '../../checks/urls.ts'

t.test('a quoted value is short and holds no credentials', async (t) => {
  t.equal(quoted('http://a:b@django'), '"http://********@django"')
  t.equal(quoted('http://a:b/c@django'), '"http://********@django"')
  t.equal(quoted('http://django/?key=a'), '"http://django/?********"')
  t.equal(quoted('x'.repeat(101)), `"${'x'.repeat(100)}…"`)
})

t.test('the nearest name is meant, in any case and as it is written where it is known', async (t) => {
  const one = (): number => 1
  t.equal(probablyMeant('CLIENTid', ['clientId', 'other'], one), 'clientId')
  t.equal(probablyMeant('cliantId', ['clientId', 'other'], one), 'clientId')
  t.equal(probablyMeant('clamtId', ['clientId', 'other'], one), undefined)
  t.equal(probablyMeant('clientId', [], one), undefined)
  t.equal(probablyMeant('naem', ['mane', 'name', 'other'], one), 'name', 'letters that have changed places are one mistake')
  t.equal(probablyMeant('eman', ['name', 'other'], one), undefined)
  t.equal(probablyMeant('abcd', ['abcdef'], (length) => length / 3), 'abcdef')
})

t.test('URLs to append to', async (t) => {
  for (const url of ['http://a', 'https://a.example:8443/sub', 'HTTP://a/', 'http://[::1]:1']) t.ok(isBaseUrl(url), url)
  for (const url of ['', 'a', 'http:a', 'http:///a', 'ftp://a', 'http://u@a', 'http://u:p@a', 'http://:p@a', 'http://a?', 'http://a#', 'http://a?b', ' http://a', 'http://a b', 'javascript:1']) t.notOk(isBaseUrl(url), url)
})

t.test('origins as browsers send them', async (t) => {
  for (const origin of ['*', 'https://a.example', 'http://localhost:3000']) t.ok(isOrigin(origin), origin)
  for (const origin of ['', 'null', 'a.example', 'https://a.example/', 'https://A.example', 'https://a.example:443', 'https://u@a.example']) t.notOk(isOrigin(origin), origin)
})

t.test('names of hosts', async (t) => {
  for (const name of ['localhost', 'mcp.example.com', 'MCP', 'a_b', 'xn--mller-kva.example', '127.0.0.1', '[::1]', 'a'.repeat(63)]) t.ok(isHostName(name), name)
  for (const name of ['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a:1', 'a/b', 'u@a', '*', 'a b', '[a', 'müller', 'a'.repeat(64), Array.from({ length: 64 }, () => 'abc').join('.')]) t.notOk(isHostName(name), name)
})

t.test('URLs of Redis', async (t) => {
  for (const url of ['redis://redis', 'rediss://user:password@redis:6379/0']) t.ok(isRedisUrl(url), url)
  for (const url of ['', 'redis', 'redis://', 'redis:6379', 'http://redis']) t.notOk(isRedisUrl(url), url)
})

t.test('paths', async (t) => {
  for (const path of ['/', '/a/b', '/a%20b']) t.ok(isPath(path), path)
  for (const path of ['', 'a', '/a?b', '/a#b', '/a b']) t.notOk(isPath(path), path)
})
