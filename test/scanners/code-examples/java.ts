import type { CodeExample, ExampleLine } from '../code-examples.ts';

export function javaExamples(): CodeExample[] {
  return [...injections(), ...documents(), ...transportSecurity(), ...cryptography()].map(
    ({ hits, clean, ...example }) => ({
      ...example,
      extensions: ['java'],
      hits: hits.map(inMethod),
      clean: clean.map(inMethod),
    }),
  );
}

interface Example {
  rule: string;
  hits: ExampleLine[][];
  clean: string[][];
}

/** Lines of a method, or a file that begins with its class. */
function inMethod<Line extends ExampleLine>(lines: readonly Line[]): (Line | string)[] {
  const isWhole = typeof lines[0] === 'string' && lines[0].startsWith('class');
  return isWhole ? [...lines] : ['class A {', 'void f() throws Exception {', ...lines, '}', '}'];
}

function injections(): Example[] {
  return [
    {
      rule: 'java-command-injection',
      hits: [
        [
          ['Runtime.getRuntime().exec("ls " + folder);'],
          ['runtime.exec(String.format("ls %s", folder));'],
          ['new ProcessBuilder("sh", "-c", "ls " + folder);'],
        ],
      ],
      clean: [
        [
          'Runtime.getRuntime().exec("ls");',
          'new ProcessBuilder("ls", "-l", folder);',
          'executor.exec("a" + b);',
          'Runtime.getRuntime().exec(new String[] {"ls", folder});',
        ],
      ],
    },
    {
      rule: 'java-sql-concatenation',
      hits: [
        [
          ['s.executeQuery("SELECT * FROM t WHERE id = " + id);'],
          [`String q = String.format("DELETE FROM t WHERE a = '%s'", a);`],
          [`s.execute("UPDATE t SET a = '" + request.getParameter("a") + "'");`],
        ],
      ],
      clean: [
        [
          'c.prepareStatement("SELECT * FROM t WHERE id = ?");',
          'String q = "SELECT * FROM t " + "WHERE a = 1";',
          'String m = "Select " + n + " from the list";',
          'String q = "SELECT * FROM " + TABLE;',
        ],
      ],
    },
    {
      rule: 'java-script-injection',
      hits: [[['engine.eval(text);'], ['parser.parseExpression(request.getParameter("e"));']]],
      clean: [['engine.eval("1 + 1");', 'parser.parseExpression("#root.name");', 'model.eval(x);']],
    },
    {
      rule: 'java-path-traversal',
      hits: [
        [
          ['new File(root, request.getParameter("name"));'],
          ['Paths.get("/data", request.getParameter("name"));'],
        ],
      ],
      clean: [['new File(root, name);', 'log(request.getParameter("name"));', 'Paths.get("/data");']],
    },
  ];
}

function documents(): Example[] {
  return [
    {
      rule: 'java-insecure-deserialization',
      hits: [[['Object o = new ObjectInputStream(in).readObject();'], ['new XMLDecoder(in);']]],
      clean: [
        ['ObjectInputStream s = new ObjectInputStream(in);', 's.setObjectInputFilter(filter);'],
        ['new ObjectOutputStream(out);'],
      ],
    },
    {
      rule: 'java-xxe',
      hits: [[['var f = DocumentBuilderFactory.newInstance();'], ['var g = new SAXReader();']]],
      clean: [
        [
          'var f = DocumentBuilderFactory.newInstance();',
          'f.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);',
        ],
      ],
    },
  ];
}

function transportSecurity(): Example[] {
  return [
    {
      rule: 'java-tls-verification-off',
      hits: [
        [
          'class A implements X509TrustManager {',
          ['public void checkServerTrusted(X509Certificate[] c, String a) {}'],
          '}',
        ],
        [
          'class A implements HostnameVerifier {',
          ['public boolean verify(String h, SSLSession s) { return true; }'],
          '}',
        ],
        [
          ['connection.setHostnameVerifier((host, session) -> true);'],
          ['b.setSSLHostnameVerifier(NoopHostnameVerifier.INSTANCE);'],
        ],
      ],
      clean: [
        [
          'class A implements X509TrustManager {',
          'public void checkServerTrusted(X509Certificate[] c, String a) { next.checkServerTrusted(c, a); }',
          '}',
        ],
        ['connection.setHostnameVerifier(verifier);'],
      ],
    },
  ];
}

function cryptography(): Example[] {
  return [
    {
      rule: 'java-weak-hash',
      hits: [
        [
          ['MessageDigest.getInstance("MD5");'],
          ['MessageDigest.getInstance("SHA-1");'],
          ['DigestUtils.md5Hex(a);'],
        ],
      ],
      clean: [
        [
          'MessageDigest.getInstance("SHA-256");',
          'DigestUtils.sha256Hex(a);',
          'MessageDigest.getInstance(name);',
        ],
      ],
    },
    {
      rule: 'java-weak-cipher',
      hits: [
        [
          ['Cipher.getInstance("DES/CBC/PKCS5Padding");'],
          ['Cipher.getInstance("AES/ECB/PKCS5Padding");'],
          ['Cipher.getInstance("AES");'],
        ],
      ],
      clean: [['Cipher.getInstance("AES/GCM/NoPadding");', 'Cipher.getInstance(name);']],
    },
    {
      rule: 'java-jwt-hardcoded-secret',
      hits: [
        [
          ['Jwts.builder().signWith(SignatureAlgorithm.HS256, "keyboard cat");'],
          ['Algorithm.HMAC256("keyboard cat");'],
          ['Keys.hmacShaKeyFor("keyboard cat".getBytes());'],
        ],
      ],
      clean: [
        ['Algorithm.HMAC256(key);', 'Jwts.builder().signWith(key);', 'Keys.hmacShaKeyFor(key.getBytes());'],
      ],
    },
  ];
}
