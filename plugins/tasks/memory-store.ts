import { CallError } from '../../errors.ts'
import type { TaskRecord } from './record.ts'
import { NoRoom, parsedRecord, tooManyTasks, type TaskStore } from './store.ts'

export interface MemoryStoreOptions {
  /** Milliseconds for which a task is kept. */
  ttl: number
  /** Tasks of one owner at the same time. */
  maxTasksOfOne: number
  /** Tasks at the same time. */
  maxTasks?: number
  /** Characters of all tasks together; one owner may fill a quarter. */
  maxSize?: number
}

const defaultMaxTasks = 10_000
const defaultMaxSize = 67_108_864

interface Entry {
  owner: string
  text: string
  endsAt: number
}

interface Usage {
  tasks: number
  size: number
}

/** Keeps tasks in this process, within bounds: for one replica, and until it ends. */
export class MemoryStore implements TaskStore {
  readonly ttl: number
  readonly #maxTasksOfOne: number
  readonly #maxTasks: number
  readonly #maxSize: number
  // As text, so that nothing outside holds a part of what is kept, and sizes are known.
  readonly #entries = new Map<string, Entry>()
  /** What each owner has here; owners without a task are not in it. */
  readonly #owners = new Map<string, Usage>()
  #size = 0

  constructor ({ ttl, maxTasksOfOne, maxTasks = defaultMaxTasks, maxSize = defaultMaxSize }: MemoryStoreOptions) {
    this.ttl = ttl
    this.#maxTasksOfOne = maxTasksOfOne
    this.#maxTasks = maxTasks
    this.#maxSize = maxSize
  }

  async check (owner: string): Promise<void> {
    this.#check(owner)
  }

  async create (owner: string, key: string, record: TaskRecord): Promise<void> {
    this.#check(owner)
    this.#set(key, { owner, text: JSON.stringify(record), endsAt: record.createdAt + record.ttl })
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
    this.#set(key, { ...entry, text: JSON.stringify(next) })
    return next
  }

  #check (owner: string): void {
    this.#removeEnded()
    const { tasks, size } = this.#usage(owner)
    if (tasks >= this.#maxTasksOfOne || size >= this.#maxSize / 4) throw tooManyTasks()
    if (this.#entries.size >= this.#maxTasks || this.#size >= this.#maxSize) throw new CallError('unavailable', 'Too many tasks are kept already.')
  }

  #usage (owner: string): Usage {
    return this.#owners.get(owner) ?? { tasks: 0, size: 0 }
  }

  /** Counts what comes or, as negative numbers, goes. */
  #count (owner: string, tasks: number, size: number): void {
    const usage = this.#usage(owner)
    this.#size += size
    if (usage.tasks + tasks === 0) this.#owners.delete(owner)
    else this.#owners.set(owner, { tasks: usage.tasks + tasks, size: usage.size + size })
  }

  #set (key: string, entry: Entry): void {
    const { owner, text } = entry
    const before = this.#entries.get(key)
    const growth = text.length - (before?.text.length ?? 0)
    const fits = this.#size + growth <= this.#maxSize && this.#usage(owner).size + growth <= this.#maxSize / 4
    if (growth > 0 && !fits) throw new NoRoom()
    this.#count(owner, before === undefined ? 1 : 0, growth)
    this.#entries.set(key, entry)
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

  #remove (key: string, { owner, text }: Entry): void {
    this.#count(owner, -1, -text.length)
    this.#entries.delete(key)
  }
}
