// Fetches pieces of the application. A piece is one file: how many modules it holds, then a number and a length for
// each, then the modules. Modules that several pieces share come first; each is started once, whoever brings it.
const started = new Map();
const fetched = new Map();

function start([number, code]) {
  if (!started.has(number)) {
    const starting = WebAssembly.instantiate(code, getSharedImports());
    started.set(number, starting);
    starting.catch(() => started.delete(number));
  }
  return started.get(number);
}

async function load(file) {
  const answer = await fetch(new URL(file, import.meta.url));
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  const bytes = await answer.arrayBuffer();
  const head = new DataView(bytes);
  const count = head.getUint32(0, true);
  const modules = [];
  for (let index = 0, at = 4 + 8 * count; index < count; index += 1) {
    const length = head.getUint32(8 + 8 * index, true);
    modules.push([head.getUint32(4 + 8 * index, true), new Uint8Array(bytes, at, length)]);
    at += length;
  }
  const own = modules.pop();
  await Promise.all(modules.map(start));
  await start(own);
}

// What did not arrive is tried again the next time it is asked for.
function piece(file) {
  return async (callback, data) => {
    let arrived = true;
    try {
      if (!fetched.has(file)) fetched.set(file, load(file));
      await fetched.get(file);
    } catch (error) {
      fetched.delete(file);
      console.error(error);
      arrived = false;
    }
    getSharedImports().__wasm_split.__indirect_function_table.get(callback)(data, arrived);
  };
}
