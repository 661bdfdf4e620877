import type { CodeExample } from '../code-examples.ts';

export function pythonExamples(): CodeExample[] {
  return [
    ...codeInjections(),
    ...requestData(),
    ...documents(),
    ...transportSecurity(),
    ...tokens(),
    ...cryptography(),
  ].map((example) => ({
    extensions: ['py'],
    ...example,
  }));
}

type Example = Omit<CodeExample, 'extensions'>;

function codeInjections(): Example[] {
  return [
    {
      rule: 'py-eval',
      hits: [[['eval(request.args["x"])'], ['exec(code, {})'], ['a = eval(f"{b} + 1")']]],
      clean: [['eval("1 + 1")', 'ast.literal_eval(text)', 'model.eval()', 'cursor.exec(x)', '# eval(x)']],
    },
    {
      rule: 'py-command-injection',
      hits: [
        [
          ['os.system("ls " + folder)'],
          ['subprocess.run(f"tar xf {name}", shell=True)'],
          ['subprocess.check_output("ls %s" % folder, shell=True)'],
          ['os.popen("ls {}".format(folder))'],
        ],
      ],
      clean: [
        [
          'os.system("ls")',
          'subprocess.run(["tar", "xf", name])',
          'subprocess.run("ls", shell=True)',
          'subprocess.run(f"{folder}/tool")',
          'os.system("ls " + FOLDER)',
        ],
      ],
    },
    {
      rule: 'py-sql-concatenation',
      hits: [
        [
          ['cursor.execute("SELECT * FROM t WHERE id = " + id)'],
          ['cursor.execute(f"DELETE FROM t WHERE id = {id}")'],
          ['cursor.execute("UPDATE t SET a = %s" % a)'],
          ['query = "select a from b where c = {}".format(c)'],
        ],
        ['cursor.execute(', ['    f"""SELECT a'], '    FROM b', '    WHERE c = {d}""")'],
      ],
      clean: [
        [
          'cursor.execute("SELECT * FROM t WHERE id = %s", (id,))',
          'log(f"Select one from {names}")',
          'a = "SELECT a FROM b " + "WHERE c = 1"',
          'b = f"SELECT failed: {error}"',
          'c = f"SELECT a FROM {TABLE} WHERE b = 1"',
        ],
      ],
    },
  ];
}

function requestData(): Example[] {
  return [
    {
      rule: 'py-path-traversal',
      hits: [[['open("/data/" + request.args["name"])'], ['send_file(request.args.get("file"))']]],
      clean: [
        [
          'open("/data/a")',
          'open(os.path.join(root, name))',
          'open(safe_join(root, request.args["name"]))',
          'print(request.args["name"])',
        ],
      ],
    },
    {
      rule: 'py-template-injection',
      hits: [[['render_template_string("Hello " + name)'], ['render_template_string(request.form["t"])']]],
      clean: [
        ['render_template_string("Hello {{ name }}", name=name)', 'render_template("a.html", name=name)'],
      ],
    },
  ];
}

function documents(): Example[] {
  return [
    {
      rule: 'py-insecure-deserialization',
      hits: [[['pickle.loads(body.content)'], ['data = marshal.load(file)'], ['jsonpickle.decode(text)']]],
      clean: [['json.loads(body)', 'pickle.dumps(a)', 'toml.load(file)']],
    },
    {
      rule: 'py-unsafe-yaml',
      hits: [[['yaml.load(text)'], ['yaml.load(text, Loader=yaml.Loader)'], ['yaml.unsafe_load(text)']]],
      clean: [
        [
          'yaml.safe_load(text)',
          'yaml.load(text, Loader=yaml.SafeLoader)',
          'yaml.load(text, Loader=CSafeLoader)',
        ],
      ],
    },
    {
      rule: 'py-xxe',
      hits: [
        [
          ['parser = etree.XMLParser(resolve_entities=True)'],
          ['p.setFeature(handler.feature_external_ges, True)'],
        ],
      ],
      clean: [
        ['parser = etree.XMLParser(resolve_entities=False)', 'p.setFeature(feature_external_ges, False)'],
      ],
    },
    {
      rule: 'py-debug-on',
      hits: [[['app.run(host="0.0.0.0", debug=True)']]],
      clean: [
        ['app.run(debug=False)', 'app.run()', 'pipeline.run(debug=True)', 'app.run(debug=settings.DEBUG)'],
      ],
    },
    {
      rule: 'py-temporary-file-race',
      hits: [[['name = tempfile.mktemp()']]],
      clean: [['name = tempfile.mkstemp()', 'name = mktemp()']],
    },
  ];
}

function transportSecurity(): Example[] {
  return [
    {
      rule: 'py-tls-verification-off',
      hits: [
        [
          ['requests.get(url, verify=False)'],
          ['session.verify = False'],
          ['context = ssl._create_unverified_context()'],
          ['context.verify_mode = ssl.CERT_NONE'],
          ['context.check_hostname = False'],
          ['urllib3.PoolManager(cert_reqs="CERT_NONE")'],
          ['ssl._create_default_https_context = ssl._create_unverified_context'],
          ['httpx.AsyncClient(verify=False)'],
        ],
      ],
      clean: [
        [
          'requests.get(url)',
          'requests.get(url, verify="/etc/ssl/ca.pem")',
          'form.validate(verify=False)',
          'context.verify_mode = ssl.CERT_REQUIRED',
        ],
      ],
    },
  ];
}

function tokens(): Example[] {
  return [
    {
      rule: 'py-jwt-hardcoded-secret',
      hits: [
        [
          ['jwt.encode(payload, "keyboard cat", algorithm="HS256")'],
          ["jwt.decode(token, key='keyboard cat', algorithms=[A])"],
        ],
      ],
      clean: [
        [
          'jwt.encode(payload, settings.KEY)',
          'jwt.decode(token, os.environ["KEY"], algorithms=["HS256"])',
          'json.encode(a, "utf-8")',
        ],
      ],
    },
    {
      rule: 'py-jwt-not-verified',
      hits: [
        [
          ['jwt.decode(token, options={"verify_signature": False})'],
          ['jwt.decode(token, key, algorithms=["none"])'],
        ],
      ],
      clean: [['jwt.decode(token, key, algorithms=["RS256"])', 'options = {"verify_signature": True}']],
    },
  ];
}

function cryptography(): Example[] {
  return [
    {
      rule: 'py-weak-hash',
      hits: [
        [
          ['hashlib.md5(data)'],
          ['hashlib.sha1(data).hexdigest()'],
          ['hashlib.new("md5", data)'],
          ['hashes.SHA1()'],
        ],
      ],
      clean: [
        [
          'hashlib.sha256(data)',
          'hashlib.md5(data, usedforsecurity=False)',
          'hashlib.new("sha256")',
          'md5(x)',
        ],
      ],
    },
    {
      rule: 'py-weak-cipher',
      hits: [
        [
          ['DES.new(key, DES.MODE_CBC)'],
          ['AES.new(key, AES.MODE_ECB)'],
          ['Cipher(a, modes.ECB())'],
          ['algorithms.TripleDES(key)'],
        ],
      ],
      clean: [
        ['AES.new(key, AES.MODE_GCM)', 'Cipher(algorithms.AES(key), modes.GCM(nonce))', 'DESK.new(key)'],
      ],
    },
  ];
}
