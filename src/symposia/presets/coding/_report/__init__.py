from symposia.presets.coding._report._folder import RunFolder, check_run_folder, default_run_folder

__all__ = ["RunFolder", "check_run_folder", "default_run_folder"]
