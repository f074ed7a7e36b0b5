"""Training as jobs of a real Slurm: whatever cuts one off, nothing is lost and the end is the same."""

from pathlib import Path

import pytest

from tests.shell.conftest import REPOSITORY, tracked_runs
from tests.slurm.cluster import CORES
from tests.slurm.jobs import Desk, Job, are_equal, commands_of, maps, wait_until

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]

TRAIN = ("--env", "cluster", "--pipelines", "colorization", "--tags", "train", "--params")
PARAMS = "device=cpu,colorization.training.epochs=8"


def desk_of(desk: Desk, folder: str) -> Desk:
    """The same desk for a model of its own: another folder for what is learnt, the same tiles."""
    return desk.with_variables(
        ROVERVISION_DATA=str(desk.folder / folder), ROVERVISION_CURATED=str(desk.folder / "data")
    )


def model(desk: Desk, folder: str) -> Path:
    return desk.folder / folder / "06_models" / "colorizer.safetensors"


def checkpoint(desk: Desk, folder: str) -> Path:
    return desk.folder / folder / "06_models" / "colorizer_checkpoint.safetensors"


def freeze_in_training(job: Job, desk: Desk, folder: str) -> None:
    """Stop the clock of the training after its first epoch: it is cut off in its middle, however fast the machine."""
    wait_until("the second epoch, so that the first is saved", lambda: "epoch 2/" in job.said())
    job.signal("STOP")
    assert checkpoint(desk, folder).exists() and not model(desk, folder).exists()


@pytest.fixture(scope="session")
def uninterrupted(desk: Desk) -> Path:
    """The model of a job that nothing disturbed."""
    job = desk_of(desk, "whole").submit(*TRAIN, PARAMS)
    assert job.end() == "COMPLETED", job.said()
    return model(desk, "whole")


def test_cancelled_in_mid_training_it_goes_on_when_it_is_submitted_again(
    desk: Desk, uninterrupted: Path, tmp_path: Path
) -> None:
    mine = desk_of(desk, "cancelled").with_variables(
        ROVERVISION_STAGE="03_primary/tiles", ROVERVISION_SCRATCH=str(tmp_path)
    )
    job = mine.submit(*TRAIN, PARAMS)
    freeze_in_training(job, desk, "cancelled")
    scratch = tmp_path / f"rovervision-{job.number}"
    assert maps(job, scratch / "03_primary" / "tiles"), "it reads the tiles where they were copied to"
    assert (scratch / "03_primary" / "frames_split.parquet").is_symlink() and (scratch / "02_intermediate").is_symlink()
    desk.slurm.ask("scancel", job.number)
    assert job.end() == "CANCELLED"
    assert tracked_runs(desk.folder)[0].info.status == "KILLED"
    assert not model(desk, "cancelled").exists()
    wait_until("the scratch is emptied", lambda: not any(tmp_path.iterdir()))

    again = mine.submit(*TRAIN, PARAMS)
    assert again.end() == "COMPLETED", again.said()
    assert "epoch 1/8" not in again.said(), "it began anew"
    assert are_equal(model(desk, "cancelled"), uninterrupted)
    assert tracked_runs(desk.folder)[0].info.status == "FINISHED"
    assert not any(tmp_path.iterdir())


def test_cut_off_by_its_time_limit_it_is_put_back_and_goes_on(desk: Desk, uninterrupted: Path) -> None:
    job = desk_of(desk, "limited").submit(*TRAIN, PARAMS, options=("--time=60", "--signal=B:USR1@60"))
    freeze_in_training(job, desk, "limited")
    desk.slurm.ask("scontrol", "update", f"JobId={job.number}", "TimeLimit=2")
    wait_until("the warning before the limit", lambda: "The time limit is near" in job.said())
    job.signal("CONT")
    wait_until("the job is put back", lambda: job.restarts == 1)
    desk.slurm.ask("scontrol", "update", f"JobId={job.number}", "TimeLimit=60")
    assert job.end() == "COMPLETED", job.said()
    assert are_equal(model(desk, "limited"), uninterrupted)
    assert [run.info.status for run in tracked_runs(desk.folder)[:2]] == ["FINISHED", "KILLED"]
    assert job.said().count("epoch 1/8") == 1


def test_a_job_whose_place_is_taken_is_put_back_and_goes_on(desk: Desk, uninterrupted: Path) -> None:
    job = desk_of(desk, "preempted").submit(*TRAIN, PARAMS)
    freeze_in_training(job, desk, "preempted")
    desk.slurm.ask(
        "sbatch", "--partition=urgent", f"--ntasks={CORES}", "--output=/dev/null", "--wrap=true", **desk.environment()
    )
    wait_until("the job is put back", lambda: job.restarts == 1)
    assert job.end() == "COMPLETED", job.said()
    assert "Another job took its place" in job.said()
    assert are_equal(model(desk, "preempted"), uninterrupted)
    assert job.said().count("epoch 1/8") == 1


def test_a_job_that_saves_nothing_before_its_limit_is_not_put_back(desk: Desk) -> None:
    job = desk_of(desk, "hopeless").submit(*TRAIN, PARAMS)
    wait_until("it begins", lambda: any(words[1:3] == ["-m", "rovervision"] for words in commands_of(job)))
    job.signal("STOP")
    assert not checkpoint(desk, "hopeless").exists(), "it was too late to stop it before it saves anything"
    desk.slurm.ask("scancel", "--batch", "--signal=USR1", job.number)
    wait_until("the warning", lambda: "The time limit is near" in job.said())
    job.signal("CONT")
    assert job.end() == "FAILED"
    assert job.restarts == 0
    assert "saved nothing" in job.said()


def test_a_job_that_fails_is_not_repeated(desk: Desk) -> None:
    job = desk_of(desk, "failed").submit(*TRAIN, "colorization.training.epochs=none")
    assert job.end() == "FAILED"
    assert job.restarts == 0
    assert "colorization.training.epochs" in job.said()
    assert "A job that failed is not repeated" in job.said()
    assert "Traceback" not in job.said()


def test_two_processes_train_one_model(desk: Desk, tmp_path: Path) -> None:
    mine = desk_of(desk, "two").with_variables(
        PYTHONPATH=f"{desk.variables['PYTHONPATH']}:{REPOSITORY}", WITNESS=str(tmp_path)
    )
    before = len(tracked_runs(desk.folder))
    runner = "--runner=tests.slurm.witness.WitnessRunner"
    job = mine.submit(runner, *TRAIN, "device=cpu,colorization.training.epochs=2", options=("--ntasks=2",))
    assert job.end() == "COMPLETED", job.said()
    assert are_equal(tmp_path / "rank1.safetensors", checkpoint(desk, "two")), "they hold different weights"
    runs = tracked_runs(desk.folder)
    assert len(runs) - before == 1 and runs[0].info.status == "FINISHED"
    assert job.said().count("epoch 2/2") == 1, "only the first speaks"


def test_an_array_makes_three_runs_in_one_experiment(empty_desk: Desk, desk: Desk) -> None:
    (empty_desk.folder / "rates.txt").write_text("".join(f"seed={seed}\n" for seed in (1, 2, 3)))
    tiles = desk.folder / "data" / "03_primary" / "tiles"
    before = {path: path.stat().st_mtime_ns for path in tiles.iterdir()}
    array = empty_desk.with_variables(
        ROVERVISION_SWEEP="rates.txt", ROVERVISION_CURATED=str(desk.folder / "data")
    ).submit(*TRAIN, "device=cpu,colorization.training.epochs=1", options=("--array=1-3", "--output=%x-%A_%a.out"))
    tasks = [
        Job(array.slurm, f"{array.number}_{index}", empty_desk.folder / f"rovervision-{array.number}_{index}.out")
        for index in (1, 2, 3)
    ]
    assert [each.end() for each in tasks] == ["COMPLETED"] * 3, "".join(each.said() for each in tasks)
    assert sum("Making the environment" in each.said() for each in tasks) == 1, "they wait for the first of them"
    runs = tracked_runs(empty_desk.folder)
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    assert len({run.info.experiment_id for run in runs}) == 1
    assert sorted(run.data.params["seed"] for run in runs) == ["1", "2", "3"]
    made = [empty_desk.folder / f"data/sweeps/rates/{index}/06_models/colorizer.safetensors" for index in (1, 2, 3)]
    assert not are_equal(made[0], made[1]) and not are_equal(made[1], made[2])
    assert {path: path.stat().st_mtime_ns for path in tiles.iterdir()} == before
