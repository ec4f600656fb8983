import t from 'tap'
import { Bm25Index } from '../../../../plugins/openapi/search/bm25.ts'
import { firstSentence } from '../../../../plugins/openapi/search/operations.ts'
import { indexWords, questionWords } from '../../../../plugins/openapi/search/words.ts'

function index (...documents: Array<[title: string, text: string, prior?: number]>): Bm25Index {
  return new Bm25Index(documents.map(([title, text, prior = 1]) => ({ fields: [{ weight: 3, words: indexWords(title) }, { weight: 1, words: indexWords(text) }], prior })))
}

const none = new Map<string, number>()

t.test('rare words, heavy fields and short ones count more', (t) => {
  const found = index(['books', 'all books'], ['shelves', 'shelves of books'], ['loans', 'books that are lent'])
  t.strictSame(found.search(new Map([['book', 1]]), none), [0, 1, 2])
  t.strictSame(found.search(new Map([['book', 1], ['lent', 1]]), none)[0], 2)
  t.end()
})

t.test('equal documents stay in their order, and a prior puts one before the other', (t) => {
  t.strictSame(index(['book', ''], ['book', ''], ['loan', '']).search(new Map([['book', 1]]), none), [0, 1])
  t.strictSame(index(['book', '', 0.5], ['book', '']).search(new Map([['book', 1]]), none), [1, 0])
  t.end()
})

t.test('words of the second kind rank, and find nothing by themselves', (t) => {
  const found = index(['book', ''], ['book lend', ''], ['lend', ''])
  t.strictSame(found.search(new Map([['book', 1]]), new Map([['lend', 1]])), [1, 0])
  t.end()
})

t.test('a word that is nowhere finds those that it begins or ends with', (t) => {
  const found = index(['book', ''], ['hook', ''], ['bookshelf', ''])
  t.strictSame(found.search(new Map([['webhook', 1]]), none), [1])
  t.strictSame(found.search(new Map([['bookshel', 1]]), none), [0, 2])
  t.strictSame(found.search(new Map([['xyz', 1]]), none), [])
  t.strictSame(new Bm25Index([]).search(new Map([['book', 1]]), none), [])
  t.end()
})

t.test('identifiers fall into words, and endings off them', (t) => {
  t.strictSame(indexWords('listUserBooks by_category-id'), ['list', 'user', 'book', 'category', 'id'])
  for (const [one, other] of [['categories', 'category'], ['addresses', 'address'], ['boxes', 'box'], ['annotations', 'annotate'], ['deployment', 'deployed'], ['status', 'status']] as const) {
    t.strictSame(indexWords(one), indexWords(other), `${one} and ${other}`)
  }
  t.end()
})

t.test('a question without a verb asks to read', (t) => {
  t.strictSame([...questionWords('books of an author').verbs.keys()], ['=get', '=list'])
  t.strictSame([...questionWords('remove books').verbs.keys()], ['=delete'])
  t.equal(questionWords('people').words.get('user'), 0.5)
  t.end()
})

t.test('a first sentence is one line and not too long', (t) => {
  t.equal(firstSentence('Lists v1.2\nof  them. More.'), 'Lists v1.2 of them.')
  t.equal(firstSentence('x'.repeat(300)).length, 160)
  t.end()
})
