import { CallError } from '../../errors.ts'
import type { TaskRecord } from './record.ts'
import { parsedRecord, type TaskStore } from './store.ts'

export interface MemoryStoreOptions {
  /** Milliseconds for which a task is kept. */
  ttl: number
  /** Tasks at the same time. */
  maxTasks?: number
  /** Characters of all tasks together. */
  maxSize?: number
}

const defaultMaxTasks = 10_000
const defaultMaxSize = 67_108_864

interface Entry {
  text: string
  endsAt: number
}

/** Keeps tasks in this process, within bounds: for one replica, and until it ends. */
export class MemoryStore implements TaskStore {
  readonly ttl: number
  readonly #maxTasks: number
  readonly #maxSize: number
  // As text, so that nothing outside holds a part of what is kept, and sizes are known.
  readonly #entries = new Map<string, Entry>()
  #size = 0

  constructor ({ ttl, maxTasks = defaultMaxTasks, maxSize = defaultMaxSize }: MemoryStoreOptions) {
    this.ttl = ttl
    this.#maxTasks = maxTasks
    this.#maxSize = maxSize
  }

  async check (): Promise<void> {
    this.#removeEnded()
    if (this.#entries.size >= this.#maxTasks || this.#size >= this.#maxSize) throw new CallError('unavailable', 'Too many tasks are kept already.')
  }

  async create (key: string, record: TaskRecord): Promise<void> {
    await this.check()
    this.#set(key, record, record.createdAt + record.ttl)
  }

  async read (key: string): Promise<TaskRecord | undefined> {
    const entry = this.#live(key)
    return entry === undefined ? undefined : parsedRecord(entry.text)
  }

  async change (key: string, change: (record: TaskRecord) => TaskRecord | undefined): Promise<TaskRecord | undefined> {
    const entry = this.#live(key)
    if (entry === undefined) return undefined
    const current = parsedRecord(entry.text)
    const next = change(current)
    if (next === undefined) return current
    this.#set(key, next, entry.endsAt)
    return next
  }

  #set (key: string, record: TaskRecord, endsAt: number): void {
    const text = JSON.stringify(record)
    const growth = text.length - (this.#entries.get(key)?.text.length ?? 0)
    if (growth > 0 && this.#size + growth > this.#maxSize) throw new CallError('unavailable', 'There is no room to keep this task.')
    this.#size += growth
    this.#entries.set(key, { text, endsAt })
  }

  #live (key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.endsAt > Date.now()) return entry
    this.#remove(key, entry)
    return undefined
  }

  #removeEnded (): void {
    const now = Date.now()
    for (const [key, entry] of this.#entries) {
      // In the order of their ends, since all are kept equally long.
      if (entry.endsAt > now) break
      this.#remove(key, entry)
    }
  }

  #remove (key: string, { text }: Entry): void {
    this.#size -= text.length
    this.#entries.delete(key)
  }
}
