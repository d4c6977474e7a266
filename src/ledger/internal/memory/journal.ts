/** Maps whose changes can be undone until a transaction has ended. */

export interface Journal {
  /** Sets a key of a map, or deletes it by `undefined`. */
  readonly set: <K, V>(map: Map<K, V>, key: K, value: V | undefined) => void
  readonly addTo: <V>(set: Set<V>, value: V) => void
  readonly deleteFrom: <V>(set: Set<V>, value: V) => void
  readonly push: <V>(list: Array<V>, value: V) => void
  /** Runs a change that has an undo of its own. */
  readonly change: (undo: () => void) => void
  /** Forgets how to undo. */
  readonly commit: () => void
  readonly rollback: () => void
}

export const make = (): Journal => {
  let undos: Array<() => void> = []
  return {
    set: (map, key, value) => {
      const old = map.get(key)
      undos.push(() => {
        if (old === undefined) map.delete(key)
        else map.set(key, old)
      })
      if (value === undefined) map.delete(key)
      else map.set(key, value)
    },
    addTo: (set, value) => {
      if (set.has(value)) return
      undos.push(() => {
        set.delete(value)
      })
      set.add(value)
    },
    deleteFrom: (set, value) => {
      if (!set.has(value)) return
      undos.push(() => {
        set.add(value)
      })
      set.delete(value)
    },
    push: (list, value) => {
      undos.push(() => {
        list.pop()
      })
      list.push(value)
    },
    change: (undo) => {
      undos.push(undo)
    },
    commit: () => {
      undos = []
    },
    rollback: () => {
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) undo()
    }
  }
}
