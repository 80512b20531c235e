from symposia.presets.coding._report._folder import RunFolder, default_run_folder

__all__ = ["RunFolder", "default_run_folder"]
