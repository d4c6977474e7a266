/**
 * Makes a class at its first use. The schemas of 30 errors would take a third of the time that the client adds to a
 * program's start, and most programs never meet most of them.
 */
export const lazyClass = <Class extends abstract new (...args: never) => object>(
  Parent: abstract new (...args: never) => object,
  make: () => Class
): Class => {
  let made: Class | undefined
  const load = (): Class => {
    if (made === undefined) {
      made = make()
      Object.setPrototypeOf(Lazy, made)
      Object.setPrototypeOf(Lazy.prototype, made.prototype)
    }
    return made
  }
  function Lazy(...args: Array<unknown>) {
    return Reflect.construct(load(), args, new.target)
  }
  Object.setPrototypeOf(Lazy.prototype, Parent.prototype)
  Object.setPrototypeOf(
    Lazy,
    new Proxy(Parent, {
      get: (_, key, receiver) => Reflect.get(load(), key, receiver),
      has: (_, key) => Reflect.has(load(), key)
    })
  )
  // a function that constructs what the class would
  return Lazy as never
}
