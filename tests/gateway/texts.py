"""The default answers of the gateway: two texts in Markdown, and their tokens."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

ENGLISH = r"""# How a hash table finds things

A **hash table** keeps pairs of *key* and *value*, and finds any of them in about the same
time, however many there are. Three ideas are enough to build one:

1. A **hash function** turns a key into a number.
2. The number, cut to the size of the table, names a **bucket**.
3. Keys that share a bucket are kept apart by a rule:
   - *chaining* puts them in a small list;
   - *open addressing* looks for the next free place.

## What it costs

| Operation | On average | At worst | Why |
|-----------|:----------:|:--------:|-----|
| look up   | $O(1)$     | $O(n)$   | all keys may share one bucket |
| insert    | $O(1)$     | $O(n)$   | the table may have to grow |
| delete    | $O(1)$     | $O(n)$   | as for a look-up |

With $n$ keys in $m$ buckets the load factor is $\alpha = n / m$. When keys fall evenly, a search that
fails in a chained table looks at

$$
1 + \alpha = 1 + \frac{n}{m}
$$

places on average, so a table that keeps $\alpha < 0.75$ stays fast.

## A small one in Python

```python
class Table:
    def __init__(self, size: int = 8) -> None:
        self.buckets: list[list[tuple[str, object]]] = [[] for _ in range(size)]

    def put(self, key: str, value: object) -> None:
        bucket = self.buckets[hash(key) % len(self.buckets)]
        bucket[:] = [pair for pair in bucket if pair[0] != key]
        bucket.append((key, value))

    def get(self, key: str) -> object:
        for known, value in self.buckets[hash(key) % len(self.buckets)]:
            if known == key:
                return value
        raise KeyError(key)
```

> A good hash function is fast, and it scatters keys that look alike.

What is left to do:

- [x] store and find
- [ ] grow when `len(self) > 0.75 * len(self.buckets)`
- [ ] delete

---

In short: *hash, pick a bucket, compare*. Python's own `dict` does the same, with open addressing.
"""

CHINESE = r"""# 李白简介

**李白**（701—762），字*太白*，号青莲居士，唐代诗人，后人称他为“诗仙”。他的诗想象丰富、语言清新，
至今仍被广泛传诵。

## 生平

1. 少年时在蜀中读书学剑。
2. 二十余岁离开四川，漫游各地：
   - 登庐山，写下《望庐山瀑布》；
   - 过黄鹤楼，送别孟浩然。
3. 天宝元年入长安，供奉翰林，两年后离京。

## 代表作

| 题目 | 体裁 | 名句 |
|------|:----:|------|
| 《静夜思》 | 五言绝句 | 举头望明月，低头思故乡。 |
| 《将进酒》 | 乐府 | 天生我材必有用，千金散尽还复来。 |
| 《早发白帝城》 | 七言绝句 | 两岸猿声啼不住，轻舟已过万重山。 |

> 床前明月光，疑是地上霜。
> 举头望明月，低头思故乡。

## 数一数字数

绝句有四句，律诗有八句。若每句 $k$ 个字，一首绝句共有 $4k$ 个字，$m$ 首绝句的总字数是

$$
N = \sum_{i=1}^{m} 4 k_i
$$

用 Python 可以这样数：

```python
诗 = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
字数 = sum(1 for 字 in 诗 if 字 not in "，。")
print(f"共 {字数} 个字")  # 共 20 个字
```

还可以继续读：

- [x] 《静夜思》
- [ ] 《蜀道难》
- [ ] 《梦游天姥吟留别》

---

总之，李白的诗**豪放飘逸**，又明白如话 🌙。
"""

REASONING_ENGLISH = (
    "The user wants a clear explanation. I should name the idea first, then the cost, "
    "then show code that runs, and finish with one sentence to remember.\n"
)
REASONING_CHINESE = "用户想了解李白。先介绍生平，再列出代表作，最后用一个小例子说明绝句的字数。\n"

_TOKEN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]{1,2}|[ \t]*[A-Za-z0-9_]+|[ \t]+|\n+|.", re.S)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def is_chinese(text: str) -> bool:
    """Return whether ``text`` has a Chinese character, and gets a Chinese answer."""
    return _CHINESE.search(text) is not None


@lru_cache(maxsize=64)
def tokens(text: str) -> tuple[str, ...]:
    """Cut ``text`` into tokens like those of a model; joined, they are ``text`` again."""
    pieces = _TOKEN.findall(text)
    assert "".join(pieces) == text, "a character fits no token"
    return tuple(pieces)


def repeat_tokens(text: str, count: int) -> tuple[str, ...]:
    """Return exactly ``count`` tokens of ``text``, repeated if it has fewer."""
    return tuple(itertools.islice(itertools.cycle(tokens(text)), count))


def stretch(text: str, length: int) -> str:
    """Repeat or cut ``text`` to exactly ``length`` characters."""
    return (text * (length // len(text) + 1))[:length]
