import type { CodeExample } from '../code-examples.ts';

const ALL = ['js', 'mjs', 'ts', 'tsx'];
const WITH_JSX = ['jsx', 'tsx'];

export function javascriptExamples(): CodeExample[] {
  return [
    ...codeInjections(),
    ...sqlInjections(),
    ...requestData(),
    ...htmlInjections(),
    ...tokens(),
    ...cryptography(),
  ].map((example) => ({ extensions: ALL, ...example }));
}

type Example = Omit<CodeExample, 'extensions'> & { extensions?: readonly string[] };

function codeInjections(): Example[] {
  return [
    {
      rule: 'js-eval',
      hits: [
        [
          ['eval(request.body.template);'],
          ['const f = new Function("a", code);'],
          ['globalThis.eval(text);'],
        ],
        ['import vm from "node:vm";', ['vm.runInNewContext(source, {});']],
      ],
      clean: [
        [
          'eval("1 + 1");',
          'new Function("return this");',
          'new Function();',
          'evaluate(x);',
          'model.eval(x);',
        ],
        ['// never eval(input) here', 'const text = "eval(input)";'],
      ],
    },
    {
      rule: 'js-command-injection',
      hits: [
        [
          ['exec("wkhtmltopdf " + request.query.file);'],
          [`execSync(\`git log \${branch}\`);`],
          ['child_process.exec("ls " + folder, done);'],
          [`spawn(\`convert \${name}\`, [], { shell: true });`],
          ['cp.execSync("tar xf " + (folder + "/a.tar"));'],
        ],
      ],
      clean: [
        [
          'exec("ls -l");',
          `const [, year] = /(\\d+)/.exec(\`\${text}\`);`,
          'execFile("git", ["log", branch]);',
          'exec("git " + "status");',
          'exec(COMMAND + " --version");',
          `spawn(\`\${folder}/tool\`, ["a"]);`,
        ],
      ],
    },
  ];
}

function sqlInjections(): Example[] {
  return [
    {
      rule: 'js-sql-concatenation',
      hits: [
        [
          ['db.query("SELECT * FROM invoice WHERE id = " + request.query.id);'],
          [`const sql = \`DELETE FROM user WHERE name = '\${name}'\`;`],
          [`pool.execute('UPDATE user SET name = ' + name + ' WHERE id = 1');`],
        ],
        [['run("select id from t where a = " + a);']],
        ['const sql =', [`  \`SELECT a`], `   FROM b`, `   WHERE c = \${d}\`;`],
      ],
      clean: [
        [
          'db.query("SELECT * FROM invoice WHERE id = $1", [id]);',
          `sql\`SELECT * FROM invoice WHERE id = \${id}\`;`,
          `log(\`Select a file from \${folder}\`);`,
          'const a = "SELECT a FROM b " + "WHERE c = 1";',
          'const b = "SELECT " + COLUMNS + " FROM b";',
          `const c = \`SELECT a FROM b\${VERSION}\`;`,
          `throw new Error(\`SELECT failed: \${message}\`);`,
        ],
      ],
    },
  ];
}

function requestData(): Example[] {
  return [
    {
      rule: 'js-path-traversal',
      hits: [
        [
          ['response.sendFile(req.query.name);'],
          [`fs.readFile("/data/" + req.params.name, done);`],
          [`createReadStream(\`/data/\${request.query.file}\`).pipe(reply);`],
        ],
      ],
      clean: [
        [
          'response.sendFile("/data/index.html");',
          'fs.readFile(path, done);',
          'fs.writeFile("/data/upload", request.body, done);',
          'readFile(resolveBelow(root, name));',
        ],
      ],
    },
    {
      rule: 'js-open-redirect',
      hits: [[['res.redirect(req.query.next);'], ['reply.redirect(302, request.query.next);']]],
      clean: [
        [
          'res.redirect("/home");',
          'res.redirect(302, "/home?" + req.query.page);',
          'res.redirect(safe(req.query.next));',
        ],
      ],
    },
    {
      rule: 'js-insecure-deserialization',
      hits: [[['serialize.unserialize(cookie);'], ['v8.deserialize(req.body);']]],
      clean: [
        ['JSON.parse(cookie);', 'v8.deserialize(cache);', 'unserialize("{}");', 'codec.deserialize(cookie);'],
      ],
    },
    {
      rule: 'js-xxe',
      hits: [[['libxml.parseXml(text, { noent: true });'], ['const options = { "noent": true };']]],
      clean: [['libxml.parseXml(text, { noent: false, nonet: true });']],
    },
    {
      rule: 'js-cors-any-origin-with-credentials',
      hits: [[['app.use(cors({ origin: true, credentials: true }));']]],
      clean: [
        [
          'app.use(cors({ origin: "https://acme.test", credentials: true }));',
          'app.use(cors({ origin: true }));',
        ],
        ['fetch(url, { credentials: "include" });'],
      ],
    },
  ];
}

function htmlInjections(): Example[] {
  return [
    {
      rule: 'js-html-injection',
      hits: [
        [
          ['element.innerHTML = message;'],
          [`element.outerHTML = \`<b>\${name}</b>\`;`],
          ['document.write("<p>" + text);'],
          ['list.insertAdjacentHTML("beforeend", row);'],
        ],
      ],
      clean: [
        [
          'element.innerHTML = "";',
          'element.innerHTML = DOMPurify.sanitize(message);',
          'element.textContent = message;',
          'const html = element.innerHTML;',
          'const data = { __html: 1 };',
        ],
      ],
    },
    {
      rule: 'js-html-injection',
      extensions: WITH_JSX,
      hits: [['const a = (text) =>', ['  <div dangerouslySetInnerHTML={{ __html: text }} />;']]],
      clean: [
        [
          'const a = () => <div dangerouslySetInnerHTML={{ __html: "<b>a</b>" }} />;',
          'const b = (t) => <div>{t}</div>;',
        ],
      ],
    },
  ];
}

function tokens(): Example[] {
  return [
    {
      rule: 'js-jwt-hardcoded-secret',
      hits: [
        [
          ['const token = jwt.sign({ id }, "keyboard cat");'],
          [`jsonwebtoken.verify(token, 'keyboard cat', options);`],
        ],
      ],
      clean: [
        [
          'jwt.sign({ id }, process.env.JWT_KEY);',
          'jwt.sign({ id }, key, { algorithm: "HS256" });',
          'jwt.verify(token, publicKey);',
          'crypto.sign(null, "data", key);',
        ],
      ],
    },
    {
      rule: 'js-jwt-not-verified',
      hits: [[['jwt.verify(token, key, { algorithms: ["none"] });'], [`const header = { alg: 'none' };`]]],
      clean: [['jwt.verify(token, key, { algorithms: ["HS256"] });', 'const style = { display: "none" };']],
    },
    {
      rule: 'js-predictable-random',
      hits: [
        [['const sessionToken = Math.random().toString(36);'], ['user.resetToken = String(Math.random());']],
      ],
      clean: [
        ['const x = Math.random();', 'const token = randomBytes(16);', 'const colour = pick(Math.random());'],
      ],
    },
  ];
}

function cryptography(): Example[] {
  return [
    {
      rule: 'js-tls-verification-off',
      hits: [
        [
          ['https.request({ host, rejectUnauthorized: false });'],
          [`process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';`],
          ['process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";'],
          ['options.rejectUnauthorized = false;'],
        ],
      ],
      clean: [
        [
          'https.request({ host, rejectUnauthorized: true });',
          'delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;',
          'const { rejectUnauthorized = false } = options;',
        ],
      ],
    },
    {
      rule: 'js-weak-hash',
      hits: [
        [
          ['createHash("md5").update(a);'],
          [`crypto.createHash('sha1');`],
          ['crypto.createHmac("MD5", key);'],
        ],
      ],
      clean: [['createHash("sha256");', 'crypto.createHash(name);', 'md5(a);']],
    },
    {
      rule: 'js-weak-cipher',
      hits: [
        [
          ['crypto.createCipheriv("des-ede3-cbc", key, iv);'],
          ['createDecipheriv("aes-128-ecb", key, null);'],
          ['crypto.createCipher("aes-256-cbc", password);'],
        ],
      ],
      clean: [['crypto.createCipheriv("aes-256-gcm", key, nonce);', 'createCipheriv(algorithm, key, iv);']],
    },
  ];
}
