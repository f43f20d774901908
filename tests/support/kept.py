"""What the tests of a script would each make anew: made once, and copied for each of them."""
import pathlib
import subprocess
import tempfile

import tap


class Kept:
    def __init__(self):
        self.place = None
        self.found = {}
        self.test = None
        self.taken = {}

    def take(self, key, folders, make):
        """@folders as make() makes them; gives what that gave when it was called."""
        if key not in self.found:
            note = make()
            self.found[key] = (self._keep(folders), note)
        else:
            for number, folder in enumerate(folders):
                assert not folder.exists(), folder  # or two would be mixed
                _copy(self.found[key][0] / str(number), folder)
        return self.found[key][1]

    def take_own(self, key, folders, make):
        """As take(), but no two of a test are the same: each has keys of its own, say."""
        if self.test != tap.current():
            self.test, self.taken = tap.current(), {}
        self.taken[key] = self.taken.get(key, 0) + 1
        return self.take((key, self.taken[key]), folders, make)

    def _keep(self, folders):
        if self.place is None:
            self.place = tempfile.TemporaryDirectory(prefix="satchel-kept-")
        copy = pathlib.Path(self.place.name) / str(len(self.found))
        copy.mkdir()
        for number, folder in enumerate(folders):
            _copy(folder, copy / str(number))
        return copy


def _copy(source, target):
    subprocess.run(["cp", "-a", "-T", source, target], check=True)


kept = Kept()
