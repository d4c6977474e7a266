/** An undo log: records the changes of maps, sets and lists, so that a transaction can be rolled back. */

export interface Journal {
  /** Sets a key of a map. Deletes the key if the value is `undefined`. */
  readonly set: <K, V>(map: Map<K, V>, key: K, value: V | undefined) => void
  readonly addTo: <V>(set: Set<V>, value: V) => void
  readonly deleteFrom: <V>(set: Set<V>, value: V) => void
  readonly push: <V>(list: Array<V>, value: V) => void
  /** Registers how to undo another kind of change. The caller makes the change. */
  readonly change: (undo: () => void) => void
  /** Keeps the changes, and clears the undo log. */
  readonly commit: () => void
  /** Undoes the changes, latest first. */
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
